// What the pages need in the browser: addresses, and light or dark. Nothing here knows a probe.
(() => {
  const own = (name) => !name.startsWith('__');

  // The address of the page as it is set; what Gradio itself put there stays in the bar and out of the link.
  function address(query) {
    const here = new URL(window.location.href);
    const kept = [...here.searchParams].filter(([name]) => !own(name));
    const link = new URL(here.pathname, here.origin);
    link.search = query || '';
    const bar = new URL(link);
    kept.forEach(([name, text]) => bar.searchParams.append(name, text));
    window.history.replaceState(window.history.state, '', bar);
    const model = link.searchParams.get('model');
    document.querySelectorAll('.site-top nav a').forEach((anchor) => {
      const target = new URL(anchor.href);
      target.search = model ? '?' + new URLSearchParams({model}) : '';
      anchor.href = target.href;
    });
    return link.href;
  }

  // Chosen once, light or dark stays for all pages of this browser; otherwise the system decides.
  function mood(dark) {
    document.body.classList.toggle('dark', dark);
    try { window.localStorage.setItem('clipspect-mood', dark ? 'dark' : 'light'); } catch (error) { /* private */ }
  }

  function recall() {
    if (new URLSearchParams(window.location.search).has('__theme')) return;
    let chosen = null;
    try { chosen = window.localStorage.getItem('clipspect-mood'); } catch (error) { /* private */ }
    if (chosen) document.body.classList.toggle('dark', chosen === 'dark');
  }

  window.clipspect = {address, mood, recall};
})();
