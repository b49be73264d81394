// What the pages need in the browser: addresses, and light or dark. Nothing here knows a probe.
(() => {
  const own = (name) => !name.startsWith('__');
  const LESSON = ['lesson', 'step'], LONGEST = 2000;

  // What the hand set in explorers, by the name under which the address has it: what the link said, until told.
  const explored = Object.fromEntries(['explore', 'explore-beside'].map((name) => {
    const text = new URLSearchParams(window.location.search).get(name) || '';
    return [name, text.length <= LONGEST ? text : ''];
  }));
  let last = null;

  // What a link wants of an explorer: an object, of which nothing is checked yet; null where it wants nothing.
  function wanted(name) {
    try {
      const found = JSON.parse(explored[name] || 'null');
      return found && typeof found === 'object' && !Array.isArray(found) ? found : null;
    } catch (error) {
      return null;
    }
  }

  // Puts what was set in an explorer into the address and into the box with the link.
  function explore(name, settings) {
    const text = Object.keys(settings).length ? JSON.stringify(settings) : '';
    const kept = text.length <= LONGEST ? text : '';
    if (kept === explored[name]) return;
    explored[name] = kept;
    if (last === null) return;
    const link = address(last), field = document.querySelector('#link textarea, #link input');
    if (!field) return;
    field.value = link;
    field.dispatchEvent(new Event('input', {bubbles: true}));
  }

  // The address of the page as it is set; what Gradio itself put there stays in the bar and out of the link.
  function address(query) {
    last = query;
    const here = new URL(window.location.href);
    const kept = [...here.searchParams].filter(([name]) => !own(name));
    const link = new URL(here.pathname, here.origin);
    link.search = query || '';
    if (window.clipspect.predicting && window.clipspect.predicting()) link.searchParams.append('predict', 'on');
    [...here.searchParams].filter(([name]) => LESSON.includes(name))
      .forEach(([name, text]) => link.searchParams.append(name, text));
    Object.entries(explored).filter(([, text]) => text).forEach(([name, text]) => link.searchParams.append(name, text));
    const bar = new URL(link);
    kept.forEach(([name, text]) => bar.searchParams.append(name, text));
    window.history.replaceState(window.history.state, '', bar);
    const models = [...link.searchParams].filter(([name]) => name === 'model' || name === 'beside');
    document.querySelectorAll('.site-top nav a').forEach((anchor) => {
      const target = new URL(anchor.href);
      target.search = new URLSearchParams(models).toString();
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

  const stages = {};

  // The tools for marks on a stage. What was drawn is the component's value, and not an event's data: of events that
  // follow one another quickly Gradio keeps the last, but with the data of the one before.
  function draw(element, props, trigger, tries = 300) {
    const bar = element.querySelector('[data-stage]');
    const stage = bar && stages[bar.dataset.stage];
    if (!stage) {
      if (tries) requestAnimationFrame(() => draw(element, props, trigger, tries - 1));
      return;
    }
    window.clipspect.marks(stage, bar, (marks) => {
      props.value = JSON.stringify(marks);
      trigger('submit');
    });
  }

  // The stage: ways to bring pictures and to take them away; marks on them are drawn by the editor.
  function stage(element, trigger, upload) {
    const root = () => element.querySelector('.stage');
    const field = () => root().dataset.field;

    async function send(files) {
      const pictures = [...files];
      if (!pictures.length) return;
      root().classList.add('stage-busy');
      const sent = [];
      for (const file of pictures) {
        const largest = Number(root().dataset.largest);
        const megabytes = Math.round(file.size / 1e6);
        if (megabytes > largest) {
          sent.push({name: file.name, error: `the file has ${megabytes} MB; the limit is ${largest} MB`});
          continue;
        }
        try {
          const {path} = await upload(file);
          sent.push({name: file.name, path});
        } catch (error) {
          sent.push({name: file.name, error: 'the file could not be sent; try again'});
        }
      }
      root().classList.remove('stage-busy');
      trigger('upload', {field: field(), files: sent});
    }

    stages[field()] = element;
    element.addEventListener('click', async (event) => {
      const removing = event.target.closest('.stage-remove');
      if (removing) trigger('delete', {field: field(), index: Number(removing.dataset.index)});
      if (event.target.closest('.stage-camera')) send(await photograph());
      if (event.target.closest('.stage-paste')) send(await clipboard());
    });
    element.addEventListener('change', (event) => {
      if (event.target.type !== 'file') return;
      event.stopPropagation();
      send(event.target.files);
      event.target.value = '';
    });
    for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
      element.addEventListener(name, (event) => {
        event.preventDefault();
        root().classList.toggle('stage-over', name === 'dragenter' || name === 'dragover');
        if (name === 'drop') send(event.dataTransfer.files);
      });
    }
    document.addEventListener('paste', (event) => {
      const files = [...event.clipboardData.files].filter((file) => file.type.startsWith('image/'));
      if (files.length && element.isConnected) {
        event.preventDefault();
        send(files);
      }
    });
  }

  // Pictures in the clipboard, where the browser lets a page read it.
  async function clipboard() {
    try {
      const found = [];
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith('image/'));
        if (type) found.push(new File([await item.getType(type)], 'pasted.' + type.split('/')[1], {type}));
      }
      if (!found.length) tell('There is no picture in the clipboard. Copy one first.');
      return found;
    } catch (error) {
      tell('This browser does not let the page read the clipboard. Press Ctrl+V or ⌘V instead.');
      return [];
    }
  }

  function tell(text) {
    const dialog = document.createElement('dialog');
    dialog.className = 'clipspect-dialog';
    const words = document.createElement('p');
    words.textContent = text;
    const done = Object.assign(document.createElement('button'), {textContent: 'Close', type: 'button'});
    done.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => dialog.remove());
    dialog.append(words, done);
    document.querySelector('.gradio-container').append(dialog);
    dialog.showModal();
    return dialog;
  }

  // A picture from the camera: shown live, taken with a button; no picture leaves before that.
  async function photograph() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({video: true});
    } catch (error) {
      tell('There is no camera this page may use.');
      return [];
    }
    const dialog = tell('');
    const video = Object.assign(document.createElement('video'), {srcObject: stream, autoplay: true, muted: true});
    video.setAttribute('playsinline', '');
    const take = Object.assign(document.createElement('button'), {textContent: 'Take the picture', type: 'button'});
    dialog.prepend(video);
    dialog.append(take);
    return new Promise((resolve) => {
      take.addEventListener('click', () => {
        const canvas = Object.assign(document.createElement('canvas'), {width: video.videoWidth, height: video.videoHeight});
        canvas.getContext('2d').drawImage(video, 0, 0);
        canvas.toBlob((blob) => {
          resolve(blob ? [new File([blob], 'camera.png', {type: 'image/png'})] : []);
          dialog.close();
        });
      });
      dialog.addEventListener('close', () => {
        stream.getTracks().forEach((track) => track.stop());
        resolve([]);
      });
    });
  }

  window.clipspect = {address, wanted, explore, mood, recall, stage, draw};
})();
