/** Owns how the demo app is built: plain files that run under a strict Content-Security-Policy. */

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

// The page talks to whatever servers config.json names; scripts and styles come from its own files alone.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' http: https:",
  'frame-src http: https:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The callback page is the same page at another address. */
function callbackPage(): Plugin {
  return {
    name: 'callback-page',
    configureServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        if (request.url?.startsWith('/callback.html')) request.url = '/index.html'
        next()
      })
    },
    writeBundle({ dir = 'dist' }) {
      copyFileSync(join(dir, 'index.html'), join(dir, 'callback.html'))
    },
  }
}

/** Only in the build: Vite's own development page needs inline styles. */
function strictPolicy(): Plugin {
  return {
    name: 'strict-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    ],
  }
}

export default defineConfig({
  plugins: [callbackPage(), strictPolicy()],
  server: { port: 8401, strictPort: true },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
