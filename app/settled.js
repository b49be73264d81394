// A page is laid out by Gradio piece by piece, and then filled with what its address asks for. Until that is over only
// the top of it is seen, so that nothing jumps; should it take long, the page is shown as it is (see style.css).
(() => {
  const READY = '#run:enabled, #stop, #enter, .probe-card img, .pairs article, .sheet, .glossary';
  const FRAMES = 3; // one for the last of what came, and two for what is drawn of it

  function later(frames, work) {
    requestAnimationFrame(() => (frames > 1 ? later(frames - 1, work) : work()));
  }

  const watching = new MutationObserver(look);

  function look() {
    if (!document.querySelector('.site-bottom') || !document.querySelector(READY)) return;
    watching.disconnect();
    later(FRAMES, () => document.documentElement.classList.add('clipspect-settled'));
  }

  document.documentElement.classList.add('clipspect-settling');
  watching.observe(document.documentElement, {childList: true, subtree: true, attributes: true, attributeFilter: ['disabled']});
})();
