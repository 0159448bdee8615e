// From a picture's pixels to aligned crops of its faces: what fer_tf/faces does in
// Python. A picture is {width, height, data}, RGB interleaved, 0..255.

const WINDOW = 12; // P-Net's.

// Scales at which to look for faces, from the finest.
export function scales(height, width, minFaceSize, factor) {
  const first = WINDOW / minFaceSize;
  const side = Math.min(height, width);
  const largest = (side * first) / (0.6 * WINDOW);
  if (largest <= 0) return [];
  const count = Math.round(Math.log(largest) / -Math.log(factor) - 1);
  return Array.from({ length: Math.max(count, 0) }, (_, i) => first * factor ** i)
    .filter((scale) => Math.floor(side * scale) >= WINDOW);
}

// For each of `count` pixels: the first of those that it covers, and their shares.
function shares(length, count) {
  const ratio = length / count;
  return Array.from({ length: count }, (_, i) => {
    const [low, high] = [i * ratio, Math.min((i + 1) * ratio, length)];
    const first = Math.floor(low);
    const weights = [];
    for (let j = first; j < high - 1e-9; j++) {
      weights.push((Math.min(j + 1, high) - Math.max(j, low)) / (high - low));
    }
    return { first, weights };
  });
}

// A smaller picture, whose pixels are averages of the areas that they cover.
export function shrunk(picture, width, height) {
  const { data } = picture;
  const columns = shares(picture.width, width);
  const rows = shares(picture.height, height);
  const narrow = new Float32Array(picture.height * width * 3);
  for (let y = 0, to = 0; y < picture.height; y++) {
    for (const { first, weights } of columns) {
      let at = (y * picture.width + first) * 3;
      let [r, g, b] = [0, 0, 0];
      for (const weight of weights) {
        r += weight * data[at++];
        g += weight * data[at++];
        b += weight * data[at++];
      }
      narrow[to++] = r;
      narrow[to++] = g;
      narrow[to++] = b;
    }
  }
  const out = new Float32Array(height * width * 3);
  const line = width * 3;
  rows.forEach(({ first, weights }, y) => {
    weights.forEach((weight, j) => {
      const from = (first + j) * line;
      for (let x = 0; x < line; x++) out[y * line + x] += weight * narrow[from + x];
    });
  });
  return { width, height, data: out };
}

// Places from the most confident to the least; of equals the later first.
function byConfidence(confidences) {
  const order = Array.from(confidences.keys());
  return order.sort((a, b) => confidences[a] - confidences[b] || a - b).reverse();
}

// Boxes that no earlier one overlaps by more than a threshold, as their places. An
// earlier box suppresses later ones even if it is itself suppressed.
export function suppress(boxes, threshold, overSmaller = false) {
  const areas = boxes.map(([l, t, r, b]) => (r - l) * (b - t));
  return Array.from(boxes.keys()).filter((later) => {
    const [l, t, r, b] = boxes[later];
    for (let earlier = 0; earlier < later; earlier++) {
      const other = boxes[earlier];
      const width = Math.min(r, other[2]) - Math.max(l, other[0]);
      const height = Math.min(b, other[3]) - Math.max(t, other[1]);
      if (width <= 0 || height <= 0) continue;
      const shared = width * height;
      const whole = overSmaller
        ? Math.min(areas[later], areas[earlier])
        : areas[later] + areas[earlier] - shared;
      if (shared > threshold * whole) return false;
    }
    return true;
  });
}

function squared([left, top, right, bottom]) {
  const [width, height] = [right - left, bottom - top];
  const side = Math.max(width, height);
  const x = left + width / 2 - side / 2;
  const y = top + height / 2 - side / 2;
  return [x, y, x + side, y + side];
}

function refined(box, offsets) {
  const sizes = [box[2] - box[0] + 1, box[3] - box[1] + 1];
  return box.map((value, i) => value + offsets[i] * sizes[i % 2]);
}

const pick = (rows, places) => places.map((place) => rows[place]);

// Rows of a flat output.
function rowsOf({ dims, data }) {
  const count = dims[1] ?? 1;
  return Array.from({ length: dims[0] }, (_, i) => data.slice(i * count, (i + 1) * count));
}

// P-Net's boxes on one level, which do not overlap much, and their confidences.
async function proposed(networks, picture, scale, settings) {
  const width = Math.floor(picture.width * scale);
  const height = Math.floor(picture.height * scale);
  const level = shrunk(picture, width, height);
  const [{ dims, data }] = await networks.proposal(level.data, [1, height, width, 3]);
  const [, rows, columns] = dims;
  const [threshold] = settings.thresholds;
  const least = Math.log(threshold / (1 - threshold));
  const [boxes, confidences] = [[], []];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = (y * columns + x) * 5;
      if (!(data[at + 4] > least)) continue;
      const corners = [2 * x + 1, 2 * y + 1, 2 * x + WINDOW, 2 * y + WINDOW];
      boxes.push(corners.map((value, i) => (value + 11 * data[at + i]) / scale));
      // As a float32: many a box is exactly as confident as its neighbour.
      confidences.push(Math.fround(1 / (1 + Math.fround(Math.exp(-data[at + 4])))));
    }
  }
  const order = byConfidence(confidences);
  const kept = pick(order, suppress(pick(boxes, order), settings.overlaps[0]));
  return [pick(boxes, kept), pick(confidences, kept)];
}

// Patches of boxes, by bilinear sampling; middle grey outside the picture.
export function patches(picture, boxes, size) {
  const { width, height, data } = picture;
  const out = new Float32Array(boxes.length * size * size * 3).fill(127.5);
  const places = (start, end, count) =>
    Array.from({ length: size }, (_, i) => {
      const [from, to] = [start / count, end / count];
      return (from + (i * (to - from)) / (size - 1)) * (count - 1);
    });
  boxes.forEach(([left, top, right, bottom], box) => {
    const [xs, ys] = [places(left, right, width), places(top, bottom, height)];
    ys.forEach((y, row) => {
      if (!(y >= 0 && y <= height - 1)) return;
      const [y0, y1] = [Math.floor(y), Math.ceil(y)];
      xs.forEach((x, column) => {
        if (!(x >= 0 && x <= width - 1)) return;
        const [x0, x1] = [Math.floor(x), Math.ceil(x)];
        const to = ((box * size + row) * size + column) * 3;
        for (let c = 0; c < 3; c++) {
          const at = (i, j) => data[(j * width + i) * 3 + c];
          const above = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * (x - x0);
          const below = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * (x - x0);
          out[to + c] = above + (below - above) * (y - y0);
        }
      });
    });
  });
  return out;
}

// Boxes, confidences and landmarks of a picture's faces, as chain.json's detector says.
// `networks` gives each network's outputs, {dims, data}, for an array and its shape.
export async function detect(networks, original, settings) {
  const ratio = settings.max_side / Math.max(original.width, original.height);
  let picture = original;
  if (ratio < 1) {
    const size = [original.width, original.height].map((side) => Math.round(side * ratio));
    picture = shrunk(original, ...size.map((side) => Math.max(1, side)));
    picture.data = picture.data.map(Math.round);
  }
  let [boxes, confidences] = [[], []];
  const { height, width } = picture;
  for (const scale of scales(height, width, settings.min_face_size, settings.scale_factor)) {
    const [found, sure] = await proposed(networks, picture, scale, settings);
    boxes.push(...found);
    confidences.push(...sure);
  }
  boxes = pick(boxes, byConfidence(confidences));
  boxes = pick(boxes, suppress(boxes, settings.overlaps[1])).map(squared);
  if (!boxes.length) return [];

  const patched = (size) => [patches(picture, boxes, size), [boxes.length, size, size, 3]];
  const confident = (scores, least) =>
    byConfidence(scores).filter((place) => scores[place] > least);
  let [offsets, scores] = await networks.refinement(...patched(24));
  let moved = boxes.map((box, i) => refined(box, rowsOf(offsets)[i]));
  boxes = pick(moved, confident(scores.data, settings.thresholds[1]));
  boxes = pick(boxes, suppress(boxes, settings.overlaps[2])).map(squared);
  if (!boxes.length) return [];

  let fractions;
  [offsets, fractions, scores] = await networks.output(...patched(48));
  const points = rowsOf(fractions).map((f, i) => {
    const [left, top, right, bottom] = boxes[i];
    const [w, h] = [right - left + 1, bottom - top + 1];
    return [0, 1, 2, 3, 4].map((k) => [f[k] * w + left - 1, f[5 + k] * h + top - 1]);
  });
  moved = boxes.map((box, i) => refined(box, rowsOf(offsets)[i]));
  const order = confident(scores.data, settings.thresholds[2]);
  const kept = pick(order, suppress(pick(moved, order), settings.overlaps[3], true));
  return kept
    .map((place) => face(moved[place], scores.data[place], points[place], original, picture))
    .sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
}

// A face in pixels of the original picture.
function face(box, confidence, points, original, picture) {
  const limits = [original.width, original.height];
  const ratios = [original.width / picture.width, original.height / picture.height];
  const [left, top, right, bottom] = box.map((value, i) =>
    Math.min(Math.max(value * ratios[i % 2], 0), limits[i % 2] - 1));
  const landmarks = points.map((point) =>
    point.map((value, axis) => (value + 0.5) * ratios[axis] - 0.5));
  return {
    box: [left, top, right - left, bottom - top].map(Math.round), confidence, landmarks,
  };
}

// Least-squares rotation, scale and shift of points to the template: {a, b, x, y} with
// u = a x - b y + x0, v = b x + a y + y0.
function similarity(points, template) {
  const mean = (list, axis) => list.reduce((sum, p) => sum + p[axis], 0) / list.length;
  const [px, py] = [mean(points, 0), mean(points, 1)];
  const [tx, ty] = [mean(template, 0), mean(template, 1)];
  let [spread, a, b] = [0, 0, 0];
  points.forEach(([x, y], i) => {
    const [dx, dy, [u, v]] = [x - px, y - py, template[i]];
    spread += dx * dx + dy * dy;
    a += dx * u + dy * v;
    b += dx * v - dy * u;
  });
  [a, b] = [a / spread, b / spread];
  return { a, b, x: tx - a * px + b * py, y: ty - b * px - a * py };
}

// The crop of a face, Uint8Array (size, size, channels), by chain.json's crop_spec.
// A larger crop is sampled first where the crop would shrink the picture.
export function crop(picture, landmarks, spec) {
  const template = spec.template.map((point) => point.map((p) => p * spec.size - 0.5));
  const { a, b, x, y } = similarity(landmarks, template);
  const shrink = 1 / Math.hypot(a, b);
  const times = Math.min(Math.max(Math.ceil(shrink - 1e-6), 1), Math.floor(8192 / spec.size));
  const { width, height, data } = picture;
  // Outside the picture its last pixels are repeated once, and then all is black.
  const at = (i, j, c) => {
    if (i < -1 || j < -1 || i > width || j > height) return 0;
    const column = Math.min(Math.max(i, 0), width - 1);
    const row = Math.min(Math.max(j, 0), height - 1);
    return data[(row * width + column) * 3 + c];
  };
  const channels = spec.color === "grey" ? 1 : 3;
  const out = new Uint8Array(spec.size * spec.size * channels);
  const scale = a * a + b * b;
  for (let row = 0; row < spec.size; row++) {
    for (let column = 0; column < spec.size; column++) {
      const sums = [0, 0, 0];
      for (let k = 0; k < times * times; k++) {
        const u = column + ((k % times) + 0.5) / times - 0.5 - x;
        const v = row + (Math.floor(k / times) + 0.5) / times - 0.5 - y;
        const [px, py] = [(a * u + b * v) / scale, (a * v - b * u) / scale];
        const [i, j] = [Math.floor(px), Math.floor(py)];
        const [fx, fy] = [px - i, py - j];
        for (let c = 0; c < 3; c++) {
          const above = at(i, j, c) * (1 - fx) + at(i + 1, j, c) * fx;
          const below = at(i, j + 1, c) * (1 - fx) + at(i + 1, j + 1, c) * fx;
          sums[c] += Math.round(above * (1 - fy) + below * fy);
        }
      }
      let color = sums.map((sum) => Math.round(sum / (times * times)));
      if (channels === 1) {
        color = [Math.round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2])];
      } else if (spec.channel_order === "bgr") {
        color.reverse();
      }
      out.set(color, (row * spec.size + column) * channels);
    }
  }
  return out;
}
