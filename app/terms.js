// The glossary on hover: a word marked as a term shows what it means, by mouse, keyboard and touch.
(() => {
  let tip = null;

  function hide() {
    if (tip) tip.remove();
    tip = null;
  }

  function show(term) {
    hide();
    tip = Object.assign(document.createElement('div'), {className: 'term-tip', textContent: term.dataset.tip});
    tip.setAttribute('role', 'tooltip');
    document.body.append(tip);
    const at = term.getBoundingClientRect(), own = tip.getBoundingClientRect(), edge = 8;
    const left = Math.min(Math.max(edge, at.left), document.documentElement.clientWidth - own.width - edge);
    const below = at.bottom + own.height + edge < window.innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${below ? at.bottom + 6 : Math.max(edge, at.top - own.height - 6)}px`;
  }

  const term = (event) => (event.target.closest ? event.target.closest('.term') : null);
  document.addEventListener('mouseover', (event) => (term(event) ? show(term(event)) : hide()));
  document.addEventListener('focusin', (event) => (term(event) ? show(term(event)) : hide()));
  document.addEventListener('click', (event) => (term(event) ? show(term(event)) : hide()));
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
  document.addEventListener('scroll', hide, {passive: true, capture: true});
})();
