'use strict';
// Sends a picture to POST /predict and draws what comes back.

const $ = id => document.getElementById(id);
let serverSays = { detection: false, most_bytes: 20 << 20 };
let asked = 0;  // what belongs to an older question is dropped
let stream = null;
let scale = 1;  // of the picture on the canvas: small ones are enlarged, for the boxes' sake

function say(text, wrong = false) {
  $('status').textContent = text;
  $('status').classList.toggle('wrong', wrong);
}

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error || `the server answers ${response.status}`);
  return body;
}

// The picture as the server sees it: upright, as EXIF says.
async function draw(blob, question) {
  const bitmap = await createImageBitmap(blob);
  if (question !== asked) return;
  const canvas = $('picture');
  scale = Math.max(1, Math.floor(384 / Math.max(bitmap.width, bitmap.height)));
  canvas.width = scale * bitmap.width;
  canvas.height = scale * bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  $('stage').classList.add('filled');
}

function drawBoxes(faces) {
  const canvas = $('picture'), context = canvas.getContext('2d');
  const line = Math.max(2, canvas.width / 200);
  context.font = `bold ${Math.max(12, canvas.width / 30)}px sans-serif`;
  context.textBaseline = 'top';
  faces.forEach((face, i) => {
    if (!face.box) return;
    const [left, top, right, bottom] = face.box.map(side => scale * side);
    for (const [colour, width] of [['#000000', 2 * line], ['#ffffff', line]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(left, top, right - left, bottom - top);
    }
    context.lineWidth = line;
    context.strokeStyle = '#000000';
    context.fillStyle = '#ffffff';
    context.strokeText(i + 1, left + 2 * line, top + 2 * line);
    context.fillText(i + 1, left + 2 * line, top + 2 * line);
  });
}

function element(tag, text = '', className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function faceCard(face, number, count) {
  const card = element('article', '', 'face');
  const best = face.predictions[0];
  const who = count > 1 ? `Face ${number}: ` : '';
  card.append(element('h3', `${who}${best.votes} of 10 would say ${best.label}`));
  const list = document.createElement('dl');
  for (const { label, probability, votes } of face.predictions) {
    const bar = element('dd', '', 'votes');
    bar.setAttribute('role', 'img');
    bar.setAttribute('aria-label', `${votes} of 10`);
    for (let i = 0; i < 10; ++i) bar.append(element('span', '', i < votes ? 'cast' : ''));
    list.append(element('dt', label), bar, element('dd', `${(100 * probability).toFixed(1)} %`, 'share'));
  }
  card.append(list);
  return card;
}

// `picture`: a blob, or a promise of one. Samples are faces that were cut out already.
async function look(picture, isSample = false) {
  const question = ++asked;
  showCamera(false);
  $('faces').replaceChildren();
  try {
    const blob = await picture;
    if (question !== asked) return;
    if (blob.size > serverSays.most_bytes) {
      throw new Error(`the picture has more than ${serverSays.most_bytes} bytes`);
    }
    say('Looking …');
    // A picture that the browser cannot show may still be one that the server can say more about.
    await draw(blob, question).catch(() => $('stage').classList.remove('filled'));
    if (question !== asked) return;
    const detect = serverSays.detection && $('detect').checked && !isSample ? 1 : 0;
    const answer = await answerOf(await fetch(`predict?detect=${detect}`, {
      method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: blob }));
    if (question !== asked) return;
    const count = answer.faces.length;
    say(count === 0 ? 'No face was found. Without “Look for faces first” the whole picture is the face.'
      : `${count === 1 ? 'One face' : `${count} faces`}, ${(1000 * answer.seconds).toFixed(0)} ms.`);
    drawBoxes(answer.faces);
    $('faces').replaceChildren(...answer.faces.map((face, i) => faceCard(face, i + 1, count)));
  } catch (error) {
    if (question === asked) say(`Sorry: ${error.message}.`, true);
  }
}

function showCamera(on) {
  for (const id of ['camera', 'take', 'close-camera']) $(id).hidden = !on;
  for (const id of ['use-camera', 'picture', 'hint']) $(id).hidden = on;
  if (!navigator.mediaDevices) $('use-camera').hidden = true;
  if (!on && stream) {
    stream.getTracks().forEach(track => track.stop());
    stream = null;
  }
}

async function useCamera() {
  $('use-camera').disabled = true;  // while the browser asks
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } });
    $('camera').srcObject = stream;
    await $('camera').play();
    showCamera(true);
  } catch (error) {
    showCamera(false);
    say(`Sorry, there is no camera: ${error.message}.`, true);
  }
  $('use-camera').disabled = false;
}

function takePicture() {
  const camera = $('camera'), still = document.createElement('canvas');
  still.width = camera.videoWidth;
  still.height = camera.videoHeight;
  still.getContext('2d').drawImage(camera, 0, 0);
  look(new Promise(resolve => still.toBlob(resolve, 'image/png')));
}

function sampleButton(url) {
  const path = `api/samples/${url.slice(url.lastIndexOf('/') + 1)}`;
  const button = document.createElement('button'), picture = document.createElement('img');
  button.type = 'button';
  picture.src = path;
  picture.alt = `Sample ${path.slice(path.lastIndexOf('/') + 1)}`;
  button.append(picture);
  button.addEventListener('click', () => look(fetch(path).then(answer => {
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    return answer.blob();
  }), true));
  return button;
}

async function begin() {
  const drop = $('drop');
  drop.addEventListener('dragover', event => { event.preventDefault(); drop.classList.add('over'); });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', event => {
    event.preventDefault();
    drop.classList.remove('over');
    if (event.dataTransfer.files.length > 0) look(event.dataTransfer.files[0]);
  });
  document.addEventListener('paste', event => {
    if (event.clipboardData.files.length > 0) look(event.clipboardData.files[0]);
  });
  $('file').addEventListener('change', () => {
    if ($('file').files.length > 0) look($('file').files[0]);
    $('file').value = '';  // the same file again is a change again
  });
  $('use-camera').hidden = !navigator.mediaDevices;  // there on localhost and over HTTPS only
  $('use-camera').addEventListener('click', useCamera);
  $('close-camera').addEventListener('click', () => showCamera(false));
  $('take').addEventListener('click', takePicture);
  try {
    serverSays = await answerOf(await fetch('health'));
    if (!serverSays.jpeg) $('file').accept = 'image/png';
    $('detect-row').hidden = !serverSays.detection;
    $('detect').checked = serverSays.detection;
    $('model').textContent = `Model: ${serverSays.model.name}, ${serverSays.model.id}.`;
    const samples = await answerOf(await fetch('api/get_samples'));
    $('samples').append(...samples.map(sampleButton));
    const legal = await answerOf(await fetch('api/get_legal'));
    $('about-samples').textContent = legal.sample_data_license;
  } catch (error) {
    say(`Sorry: ${error.message}.`, true);
  }
}

begin();
