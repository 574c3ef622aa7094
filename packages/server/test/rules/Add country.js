;(user, context, callback) => {
  // The rule of the export beside it; its keyword is replaced as in the tenant file.
  context.idToken['https://##ENVIRONMENT##.acme.example/country'] = user.app_metadata?.country
  callback(null, user, context)
}
