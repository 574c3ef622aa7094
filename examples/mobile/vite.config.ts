/** Owns how the app's page is built: files that are packed into the mobile app. */

import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
