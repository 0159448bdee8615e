// The page: a photograph or a picture of the camera, its faces, and what is read there.
// Nothing is sent: the files of the chain come in, and no picture goes out.

import * as ort from "./ort.wasm.min.mjs";
import { crop, detect } from "./faces.js";

const HERE = new URL("./", import.meta.url).href;
const MOST_PIXELS = 30e6;
const $ = (id) => document.getElementById(id);
const say = (text) => { $("said").textContent = text; };

ort.env.wasm.wasmPaths = HERE;
ort.env.wasm.numThreads = 1; // More take headers that a static server does not send.

// A network as a function: an array and its shape in, [{dims, data}, ...] out.
async function network(name, kind = "float32") {
  const session = await ort.InferenceSession.create(HERE + name);
  return async (data, shape) => {
    const values = new ort.Tensor(kind, data, shape);
    const outputs = await session.run({ [session.inputNames[0]]: values });
    return session.outputNames.map((output) => ({ output, ...tensor(outputs[output]) }));
  };
}

const tensor = ({ dims, data }) => ({ dims, data });

async function loaded() {
  const answer = await fetch(`${HERE}chain.json`);
  const [chain, proposal, refinement, output, model] = await Promise.all([
    answer.json(), network("pnet.onnx"), network("rnet.onnx"), network("onet.onnx"),
    network("model.onnx", "uint8"),
  ]);
  return { chain, networks: { proposal, refinement, output }, model };
}

// What is drawn, as pixels: upright, over white.
function pixels(source, width, height) {
  if (width * height > MOST_PIXELS) throw new Error("more than 30 megapixels");
  const canvas = $("drawn");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const colored = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < colored.length; from += 4) {
    data[to++] = colored[from];
    data[to++] = colored[from + 1];
    data[to++] = colored[from + 2];
  }
  return { width, height, data };
}

async function read({ chain, networks, model }, picture) {
  const faces = await detect(networks, picture, chain.detector);
  const spec = chain.crop_spec;
  for (const face of faces) {
    const channels = spec.color === "grey" ? 1 : 3;
    const shape = [1, spec.size, spec.size, channels];
    const outputs = await model(crop(picture, face.landmarks, spec), shape);
    const { data } = outputs.find(({ output }) => output === "probabilities");
    const shares = chain.names.expressions.map((name, i) => [name, data[i]]);
    const [expression, most] = shares.reduce((a, b) => (b[1] > a[1] ? b : a));
    Object.assign(face, { expression, probabilities: Object.fromEntries(shares) });
    if (chain.unsure_below !== null) face.unsure = most < chain.unsure_below;
  }
  return faces;
}

function show(faces, width) {
  const context = $("drawn").getContext("2d");
  const unit = Math.max(1, width / 600);
  context.lineWidth = 2 * unit;
  context.font = `${14 * unit}px sans-serif`;
  const list = $("faces");
  list.replaceChildren();
  faces.forEach((face, number) => {
    const [x, y, w, h] = face.box;
    context.strokeStyle = context.fillStyle = "#0072b2";
    context.strokeRect(x, y, w, h);
    context.fillRect(x, y, 20 * unit, 18 * unit);
    context.fillStyle = "white";
    context.fillText(number + 1, x + 5 * unit, y + 14 * unit);
    const item = document.createElement("li");
    const percent = Math.round(100 * face.probabilities[face.expression]);
    item.textContent = `${face.expression}, ${percent} %${face.unsure ? ", unsure" : ""}`;
    list.append(item);
  });
  $("json").textContent = JSON.stringify(faces, null, 1);
  const count = faces.length === 1 ? "1 face" : `${faces.length || "no"} faces`;
  say(`${count} found`);
}

const chain = loaded();

async function answer(take) {
  say("reading");
  $("json").textContent = "";
  $("faces").replaceChildren();
  try {
    const picture = await take();
    show(await read(await chain, picture), picture.width);
  } catch (error) {
    say(`The picture cannot be read: ${error.message}`);
  }
}

$("photo").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  answer(async () => {
    const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
    const bitmap = await createImageBitmap(file, options);
    return pixels(bitmap, bitmap.width, bitmap.height);
  });
});

$("camera").addEventListener("click", () => answer(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  try {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    return pixels(video, video.videoWidth, video.videoHeight);
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}));

chain.then(
  (loaded) => { $("model").textContent = loaded.chain.model; say("ready"); },
  (error) => say(`The networks cannot be loaded: ${error.message}`),
);
