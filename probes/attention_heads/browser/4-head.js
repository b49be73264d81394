// The card of the chosen part: what it adds, what it is about, and which pictures are near by it alone.

function drawCard(scene) {
  const { data, now, ui } = scene, { part } = now, head = part < data.cells, off = now.off.has(part);
  const toggle = scene.button('heads-toggle', off ? 'Switch on' : 'Switch off', () => {
    if (off) now.off.delete(part); else now.off.add(part);
    draw(scene);
    ui.card.querySelector('.heads-toggle').focus();
  });
  const heading = box('heads-heading', make('h3', 'heads-name', titleOf(data, part)),
    make('code', 'heads-code', nameOf(data, part)), ...(data.onto.length ? [toggle] : []));
  const told = head && data.directions ? [about(scene, part)] : [];
  ui.card.replaceChildren(heading, make('p', '', numbers(scene, part)), ...told);
}

function numbers(scene, part) {
  const { data } = scene, own = effect(scene, part, false), usual = own - effect(scene, part, true);
  const p = part < data.cells && (scene.now.mode === 'contrast' || !data.others)
    ? `; it strays so far by chance with p = ${data.p[part].toPrecision(2)}, corrected for ${data.cells} heads` : '';
  return `Adds ${signed(own, 4)} to this picture, ${signed(usual, 4)} on average to ${data.over}${p}.`;
}

function about(scene, part) {
  const { data, now } = scene, rows = data.directions[part];
  if (!rows.length) return make('p', 'explorer-small', 'It does the same to every picture: there is nothing to explain.');
  now.direction = Math.min(now.direction, rows.length - 1);
  const list = group('heads-phrases', 'Phrases that span what the head writes');
  rows.forEach((row, at) => {
    const node = scene.button('heads-phrase', '', () => {
      now.direction = at;
      drawCard(scene);
      scene.ui.card.querySelectorAll('.heads-phrase')[at].focus();
    });
    node.classList.toggle('heads-unsteady', !row.steady);
    node.style.setProperty('--heads-share', `${Math.round(100 * row.share)}%`);
    const kept = row.kept === null ? '' : `, picked again in ${Math.round(100 * row.kept)} % of resamples`;
    node.append(make('span', 'heads-words', row.phrase), make('span', 'heads-share', `${(100 * row.share).toFixed(0)} %`));
    node.title = `${(100 * row.share).toFixed(1)} % of the head's variance${kept}`;
    pressed(node, at === now.direction);
    list.append(node);
  });
  const chosen = rows[now.direction], { explained, chance, embedding } = data.variances[part];
  const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
  const unsteady = rows.some((row) => !row.steady) ? ' Grey ones are not picked again in half of the resamples.' : '';
  const held = embedding === null ? '' : `It holds ${percent(embedding)} of what differs between ${data.over}. `;
  const told = `${held}These phrases explain ${percent(explained)} of that; phrases without meaning ${percent(chance)}.${unsteady}`;
  return box('heads-about', box('', make('p', 'explorer-small', told), list),
    box('', pictureRow(scene, `Most “${chosen.phrase}”`, chosen.high), pictureRow(scene, `Least “${chosen.phrase}”`, chosen.low),
      pictureRow(scene, 'Nearest to yours by this head alone', data.nearest[part])));
}

function pictureRow(scene, title, places) {
  const row = box('heads-pictures', ...places.map((place) => thumb(scene.data, place, 56)));
  return box('heads-row', make('p', 'explorer-small', title), row);
}
