/** Small comforts of the hosted pages. Every page works without them. */
;(() => {
  for (const button of document.querySelectorAll('[data-reveal]')) reveal(button)
  for (const list of document.querySelectorAll('[data-rules-for]')) followRules(list)
  for (const form of document.querySelectorAll('form[data-once]')) sendOnce(form)
  for (const button of document.querySelectorAll('[data-copy]')) copy(button)

  function reveal(button) {
    const input = document.getElementById(button.dataset.reveal)
    const show = (shown) => {
      input.type = shown ? 'text' : 'password'
      button.setAttribute('aria-pressed', String(shown))
    }
    button.hidden = false
    button.addEventListener('click', () => show(input.type === 'password'))
    // A password manager stores what it sees in a password field.
    input.form.addEventListener('submit', () => show(false))
  }

  function followRules(list) {
    const input = document.getElementById(list.dataset.rulesFor)
    const update = () => {
      for (const item of list.querySelectorAll('[data-rule]')) {
        const met = holds(item.dataset, input.value)
        const state = item.querySelector('.rule-state')
        item.classList.toggle('met', met)
        state.textContent = met ? `${state.dataset.met}: ` : ''
      }
    }
    input.addEventListener('input', update)
    update()
  }

  function holds({ rule, min }, password) {
    const lower = /[a-z]/.test(password)
    const upper = /[A-Z]/.test(password)
    const number = /[0-9]/.test(password)
    const symbol = /[^A-Za-z0-9]/.test(password)
    if (rule === 'length') return [...password].length >= Number(min)
    if (rule === 'lower') return lower
    if (rule === 'upper') return upper
    if (rule === 'number') return number
    if (rule === 'three_of_four') return lower + upper + number + symbol >= 3
    return password !== '' && !/(.)\1\1/u.test(password)
  }

  function sendOnce(form) {
    let sent = false
    const reset = () => {
      sent = false
      form.removeAttribute('aria-busy')
    }
    form.addEventListener('submit', (event) => {
      if (sent) event.preventDefault()
      sent = true
      form.setAttribute('aria-busy', 'true')
      // An answer that hands over to a native app leaves the page standing.
      setTimeout(reset, 8000)
    })
    addEventListener('pageshow', reset)
  }

  function copy(button) {
    const status = button.parentElement.querySelector('[role=status]')
    if (!navigator.clipboard) return
    button.hidden = false
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
      button.textContent = button.dataset.done
      status.textContent = button.dataset.done
    })
  }
})()
