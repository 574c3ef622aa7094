/** Owns the list of passwords that everybody tries first, and what counts as one of them. */

/** Words that carry a common password, alone or with figures and signs around them. */
const stems = `
password passwort passwd passphrase pass motdepasse contrasena contraseña senha wachtwoord parola haslo heslo
salasana losenord lösenord kennwort parool lozinka sifre mima passer azerty qwerty qwertz qwert asdf asdfgh asdfghjkl
zxcvbn zxcvbnm qwertyuiop qazwsx qazxsw wsxedc poiuytrewq mnbvcxz abc abcd abcde abcdef abcdefg abcdefgh abcabc
admin administrator root user guest login logon letmein welcome willkommen bienvenue bienvenido benvenuto hello
hallo hola bonjour test testing tester temp temporary changeme change default secret geheim access master system
server database oracle sample example demo iloveyou ichliebedich jetaime teamo tequiero loveme lovely love loveyou
sunshine princess prinzessin princesa dragon monkey tiger tigger lion panther eagle falcon wolf bear shadow ninja
samurai warrior killer hunter ranger soldier superman batman spiderman ironman pokemon pikachu naruto starwars
minecraft fortnite roblox football fussball futbol soccer baseball basketball hockey tennis golf liverpool arsenal
chelsea barcelona realmadrid juventus yankees cowboys lakers steelers michael michelle jennifer jessica ashley
daniel jordan andrew thomas robert charlie george matthew anthony joshua nicole amanda hannah samantha maggie
pepper ginger buster bailey cookie cheese chocolate schokolade banana orange apple cherry flower butterfly angel
angels babygirl baby cutie sweety honey family forever friends freedom peace jesus christ god heaven blessed faith
matrix internet computer google facebook twitter instagram youtube linkedin microsoft windows android samsung iphone
summer winter spring autumn sommer herbst january february march april june july august september october november
december monday friday sunday london paris berlin madrid moscow america england germany canada mexico brasil india
ferrari porsche mercedes mustang corvette harley yamaha money dollar million lucky silver golden diamond whatever
trustno nothing fuckyou fuckoff asshole bitch biteme
`

/** Passwords that are figures, or figures and letters in the order of the keyboard. */
const exact = `
123 1234 12345 123456 1234567 12345678 123456789 1234567890 0123456789 987654321 9876543210 87654321 7654321 654321
54321 4321 111111 1111111 11111111 222222 22222222 333333 444444 555555 55555555 666666 777777 7777777 888888 88888888
999999 99999999 000000 0000000 00000000 101010 10101010 112233 11223344 1122334455 121212 12121212 123123 123123123
123321 1234321 123454321 131313 141414 147258 147258369 147852 159753 159357 232323 252525 258456 456789 456456
12341234 1234qwer qwer1234 1q2w3e 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qazxsw2 2wsx3edc zaq12wsx zaq1zaq1
q1w2e3 q1w2e3r4 q1w2e3r4t5 a1b2c3 a1b2c3d4 aa123456 a123456 a12345678 a123456789 123qwe 123qweasd qwe123 qweasd
qweasdzxc asd123 asdasd asdf1234 zxc123 abc123 abcd1234 1a2b3c 1a2b3c4d 123abc 123456a 123456789a 123456q 123456abc
qwerty1 qwerty12 qwerty123 qwerty1234 q123456 pass1234 7758521 5201314 woaini woaini1314 147896325 789456 789456123
trustno1 007007 696969 420420 xxxxxx aaaaaa aaaaaaaa zzzzzz qqqqqq p@ssw0rd pa55word pa$$w0rd l3tm31n w3lc0me
`

/** Signs that stand for the letters they look like. */
const lookalikes: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
}

interface Dictionary {
  readonly stems: ReadonlySet<string>
  readonly exact: ReadonlySet<string>
}

let builtIn: Dictionary | undefined

function wordsOf(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/).filter((word) => word !== ''))
}

/** Read at first use: most connections never ask. */
function common(): Dictionary {
  builtIn ??= { stems: wordsOf(stems), exact: wordsOf(exact) }
  return builtIn
}

/** More figures and signs around a common word than this are a password of their own. */
const longestDecoration = 8

function spell(text: string): string {
  return [...text].map((character) => lookalikes[character] ?? character).join('')
}

/** The common words that a password may be made of: `P@ssw0rd2024!` gives `password`. */
function stemsOf(password: string): readonly string[] {
  const withoutTail = password.replace(/\P{L}+$/u, '')
  const middle = withoutTail.replace(/^\P{L}+/u, '')
  return [middle, spell(middle), spell(withoutTail), spell(password)].filter(
    (stem) => password.length - stem.length <= longestDecoration,
  )
}

/**
 * Whether this is one of the passwords that are tried first. Case does not count, nor do figures and signs around a
 * common word, nor signs that stand for letters.
 *
 * @param own further words that the connection refuses, compared whole
 */
export function isCommonPassword(password: string, own: readonly string[] = []): boolean {
  const lower = password.toLowerCase()
  if (own.some((word) => word.toLowerCase() === lower)) return true
  const dictionary = common()
  return dictionary.exact.has(lower) || stemsOf(lower).some((stem) => dictionary.stems.has(stem))
}
