// Marks on a picture, drawn by hand. The server draws them into the picture; this shows what the hand does meanwhile.
(() => {
  const [PAUSE, ECHO, PATIENCE] = [60, 400, 2000];  // ms: between two sends; own state counts; a late answer
  const [SLOP, NEAR, GRIP] = [5, 8, 11];  // pixels: a click may move; a mark may be missed; so may its handles
  const {shapes} = window.clipspect;
  const {POINTS, clamp} = shapes;

  // The list of marks, which one is active, and what passes between the hand, the picture and the server.
  class Editor {
    constructor(element, bar, send) {
      const given = (name, otherwise) => {
        try { return JSON.parse(bar.dataset[name]) ?? otherwise; } catch (error) { return otherwise; }
      };
      const pair = (name, otherwise) => {
        const ends = (bar.dataset[name] || '').split(',').map(Number);
        return ends.length === 2 && ends.every(Number.isFinite) ? ends : otherwise;
      };
      this.shapes = given('shapes', Object.keys(POINTS)).filter((shape) => shape in POINTS);
      this.colours = given('colours', {red: '#ff0000'});
      this.most = Number(bar.dataset.most) || 8;
      this.fewest = Number(bar.dataset.fewest) || 0;
      [this.widths, this.radii] = [pair('widths', [0.002, 0.2]), pair('radii', [0.01, 0.5])];
      Object.assign(this, {element, bar, send, list: [], active: 0, ratio: 1, hand: null, dirty: false});
      Object.assign(this, {sentAt: -Infinity, waiting: null, older: new Set(), held: null});
      // What a first mark is like.
      this.next = {shape: this.shapes[0], colour: Object.keys(this.colours)[0], width: clamp(0.02, ...this.widths),
        fill: 0, radius: clamp(0.15, ...this.radii)};
      this.overlay = window.clipspect.svg('svg', {class: 'marks-over', 'aria-hidden': 'true'});
      this.sync = window.clipspect.toolbar(this);
      this.listen();
      this.refresh();
    }

    listen() {
      const {element} = this;
      element.addEventListener('pointerdown', (event) => this.down(event));
      // The browser's own answers to a press: text is selected, a picture dragged away.
      element.addEventListener('mousedown', (event) => { if (event.target === this.image()) event.preventDefault(); });
      element.addEventListener('pointermove', (event) => this.hover(event));
      window.addEventListener('pointermove', (event) => this.move(event));
      window.addEventListener('pointerup', (event) => this.up(event));
      window.addEventListener('pointercancel', (event) => this.up(event));
      element.addEventListener('keydown', (event) => this.key(event));
      element.addEventListener('focusin', (event) => { this.held = event.target; });
      // A picture that is taken out of the page still holds the focus for its successor; one that was left does not.
      element.addEventListener('focusout', ({target}) => setTimeout(() => {
        if (target.isConnected && document.activeElement !== target && this.held === target) this.held = null;
      }));
      element.addEventListener('load', () => this.show(), true);
      new ResizeObserver(() => this.show()).observe(element);
      window.addEventListener('resize', () => this.show());
      new MutationObserver((records) => {
        if (records.some((record) => !this.overlay.contains(record.target))) this.refresh();
      }).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ['data-marks']});
    }

    image() { return this.element.querySelector('.stage-placed figure img'); }

    read() {
      try {
        const marks = JSON.parse(this.element.querySelector('.stage').dataset.marks);
        return marks.every(shapes.sound) ? marks.map(shapes.tidy) : [];
      } catch (error) { return []; }
    }

    // Where the picture itself lies on the screen. A new one has no size before it is decoded: then as the last one.
    look() {
      const image = this.image();
      if (!image) return null;
      if (image.naturalWidth && image.naturalHeight) this.ratio = image.naturalWidth / image.naturalHeight;
      const box = image.getBoundingClientRect();
      const width = Math.min(box.width, box.height * this.ratio);
      const height = width / this.ratio;
      if (!width) return null;
      const [left, top] = [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2];
      return {image, box, width, height, left, top};
    }

    // The server put in new markup.
    refresh() {
      const image = this.image();
      const lost = this.held && this.held !== image && !this.held.isConnected && this.held.tagName === 'IMG';
      const free = !document.activeElement || document.activeElement === document.body;
      if (lost && image && free) image.focus({preventScroll: true});
      this.settle();
    }

    // Whose marks count: the hand's while it works and until the server has answered, then the server's.
    settle() {
      clearTimeout(this.later);
      const [truth, since] = [this.read(), performance.now() - this.sentAt];
      const text = JSON.stringify(truth);
      const early = this.waiting !== null && text !== this.waiting
        && (since < ECHO || (since < PATIENCE && this.older.has(text)));
      if (early) this.later = setTimeout(() => this.settle(), (since < ECHO ? ECHO : PATIENCE) - since + 1);
      if (!early && !this.hand && !this.dirty) {
        this.waiting = null;
        this.older.clear();
        this.list = truth;
      }
      this.show();
    }

    change(list, done) {
      const tidied = list.map(shapes.tidy);
      this.dirty ||= JSON.stringify(tidied) !== JSON.stringify(this.list);
      this.list = tidied;
      this.show();
      this.push(done);
    }

    alter(mark, done) {
      const list = [...this.list];
      list[this.active] = mark;
      this.change(list, done);
    }

    push(done) {
      clearTimeout(this.trailing);
      if (!this.dirty) return;
      const wait = PAUSE - (performance.now() - this.sentAt);
      if (!done && wait > 0) {
        this.trailing = setTimeout(() => this.push(true), wait);
        return;
      }
      this.older.add(JSON.stringify(this.read()));
      if (this.waiting !== null) this.older.add(this.waiting);
      this.waiting = JSON.stringify(this.list);
      this.older.delete(this.waiting);
      [this.dirty, this.sentAt] = [false, performance.now()];
      this.send(JSON.parse(this.waiting));
      clearTimeout(this.later);
      this.later = setTimeout(() => this.settle(), ECHO + 1);
    }

    // Pointer, drawing and keys

    // Where on the picture itself a pointer is, as shares; `kept` within it.
    place(event, view, kept) {
      const place = [(event.clientX - view.left) / view.width, (event.clientY - view.top) / view.height];
      return kept ? place.map((value) => clamp(value, 0, 1)) : place;
    }

    // What a drag from a place would do to the active mark: a function of the place where the hand is.
    grasp(from, view) {
      const mark = this.list[this.active];
      const at = shapes.pixels(view, from);
      const apart = (place) => Math.hypot(place[0] - at[0], place[1] - at[1]);
      const moves = (moved) => (to) => shapes.shifted(moved, to[0] - from[0], to[1] - from[1]);
      if (mark) {
        const near = shapes.handles(mark, view).map(apart);
        const taken = near.indexOf(Math.min(...near));
        if (near[taken] <= GRIP) {
          return {cursor: 'grab', drag: (to) => shapes.resized(mark, taken, from, to, view, this.radii)};
        }
        if (shapes.away(mark, from, view) <= NEAR) return {cursor: 'move', drag: moves(mark)};
      }
      const other = this.list.findLastIndex((one) => shapes.away(one, from, view) <= NEAR / 2);
      if (other >= 0) return {cursor: 'move', index: other, drag: moves(this.list[other])};
      const start = from.map((value) => clamp(value, 0, 1));
      const model = mark || this.fresh(start);
      return {cursor: '', drag: (to) => shapes.drawn(model, start, to, view, this.radii)};
    }

    down(event) {
      const view = this.look();
      if (!view || event.target !== view.image || event.button !== 0 || this.hand) return;
      view.image.focus({preventScroll: true});
      this.hand = {id: event.pointerId, from: this.place(event, view), x: event.clientX, y: event.clientY, drag: null};
      // The picture may be replaced under a finger; the element stays, so what follows is told to it.
      try { this.element.setPointerCapture(event.pointerId); } catch (error) { /* a pointer that is gone */ }
    }

    move(event) {
      const [hand, view] = [this.hand, this.look()];
      if (!hand || hand.id !== event.pointerId || !view) return;
      if (!hand.drag) {
        if (Math.hypot(event.clientX - hand.x, event.clientY - hand.y) < SLOP) return;
        const {drag, index, cursor} = this.grasp(hand.from, view);
        hand.drag = drag;
        this.active = index ?? this.active;
        this.cursor = cursor;
      }
      this.alter(hand.drag(this.place(event, view)), false);
    }

    up(event) {
      const [hand, view] = [this.hand, this.look()];
      if (!hand || hand.id !== event.pointerId) return;
      if (view && event.type === 'pointerup' && hand.drag) this.move(event);
      this.hand = null;
      if (!view) this.dirty = false;  // the picture went away under the hand, and its marks with it
      else if (hand.drag) this.push(true);
      else if (event.type === 'pointerup') this.click(this.place(event, view, true));
      this.settle();
    }

    click(place) {
      const mark = this.list[this.active];
      if (!mark) return this.alter(this.fresh(place), true);
      if (mark.shape === 'arrow') return this.alter(shapes.aimed(mark, place), true);
      const [x, y] = shapes.middle(mark);
      return this.alter(shapes.shifted(mark, place[0] - x, place[1] - y), true);
    }

    // What a drag from here would do shows in the cursor, which a new picture has to be told again.
    hover(event) {
      const view = this.look();
      if (!view || this.hand || event.target !== view.image) return;
      this.cursor = this.grasp(this.place(event, view), view).cursor;
      view.image.style.cursor = this.cursor;
    }

    key(event) {
      const mark = this.list[this.active];
      if (event.target !== this.image() || !mark || this.hand || event.ctrlKey || event.metaKey || event.altKey) return;
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      const factor = {'+': 1.1, '=': 1.1, '-': 1 / 1.1, '_': 1 / 1.1}[event.key];
      const step = event.shiftKey ? 0.1 : 0.02;
      if (way) this.alter(shapes.shifted(mark, step * way[0], step * way[1]), false);
      else if (factor) this.resize(factor * shapes.size(mark, this.ratio), false);
      else if (event.key === 'Delete' || event.key === 'Backspace') this.remove();
      else return;
      event.preventDefault();
    }

    // What the toolbar asks for

    fresh([x, y]) {
      const {shape, ...style} = this.next;
      return shapes.turned({...style, shape: 'circle', points: [[x, y]]}, shape, this.ratio, this.radii);
    }

    shape(name) {
      this.next.shape = name;
      const mark = this.list[this.active];
      if (mark) this.alter(shapes.turned(mark, name, this.ratio, this.radii), true);
      else this.show();
    }

    // Colour, line width or fill.
    style(name, value, done) {
      this.next[name] = value;
      if (this.list[this.active]) this.alter({...this.list[this.active], [name]: value}, done);
      else this.show();
    }

    resize(wanted, done) { this.alter(shapes.scaled(this.list[this.active], wanted, this.ratio, this.radii), done); }

    choose(index) {
      this.active = index;
      this.show();
    }

    // A copy beside the active mark: on the side where it has most room for itself.
    add() {
      const mark = this.list[this.active];
      if (this.list.length >= this.most) return;
      const reach = mark ? Math.max(2.2 * shapes.size(mark, this.ratio) + mark.width, 0.05) : 0;
      const sides = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1], [1, -1], [-1, -1]];
      const copies = mark ? sides.map(([dx, dy]) => shapes.shifted(mark, dx * reach / this.ratio, dy * reach)) : [];
      const rooms = copies.map((copy) => shapes.room(copy, this.list, this.ratio, reach));
      this.active = this.list.length;
      this.alter(copies[rooms.indexOf(Math.max(...rooms))] || this.fresh([0.5, 0.5]), true);
    }

    remove() {
      if (this.list.length <= this.fewest) return;
      const gone = this.active;
      this.active = Math.max(0, Math.min(gone, this.list.length - 2));
      this.change(this.list.filter((mark, index) => index !== gone), true);
    }

    // Everything as it is now: the overlay, and the toolbar.
    show() {
      this.active = clamp(this.active, 0, Math.max(0, this.list.length - 1));
      const [mark, view] = [this.list[this.active], this.look()];
      if (mark) {
        const {shape, colour, width, fill} = mark;
        this.next = {shape, colour, width, fill, radius: clamp(shapes.size(mark, this.ratio), ...this.radii)};
      }
      this.sync(mark, Boolean(view));
      if (!view) return this.overlay.remove();
      const figure = view.image.parentNode;
      if (this.overlay.parentNode !== figure) figure.append(this.overlay);
      if (this.hand) view.image.style.cursor = this.cursor || '';
      const edge = figure.getBoundingClientRect();
      Object.assign(this.overlay.style, {left: `${view.left - edge.left - figure.clientLeft}px`,
        top: `${view.top - edge.top - figure.clientTop}px`, width: `${view.width}px`, height: `${view.height}px`});
      return this.overlay.replaceChildren(...window.clipspect.sketch(this, mark, view));
    }
  }

  window.clipspect.marks = (element, bar, send) => { new Editor(element, bar, send); };
})();
