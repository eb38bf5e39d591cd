//! Identity documents drawn by code: a card with a guilloche, a portrait, text in strokes and two lines for
//! machines. Nobody's data is in them.

use portcullis_imprint::Picture;

use crate::rng::Rng;

const WIDTH: usize = 1600;
const HEIGHT: usize = 1010;

/// A document, the same for the same number.
pub(crate) fn draw(number: u64) -> Picture {
    let mut rng = Rng::new(number ^ 0x00D0_C5EE);
    let mut sheet = Sheet::new(&mut rng);
    sheet.guilloche(&mut rng);
    portrait(&mut sheet, &mut rng);
    fields(&mut sheet, &mut rng);
    sheet.grain(&mut rng);
    let bytes = sheet
        .pixels
        .iter()
        .flatten()
        .map(|v| v.clamp(0.0, 255.0).round() as u8)
        .collect();
    Picture::new(WIDTH, HEIGHT, bytes).expect("a document has a picture's size")
}

struct Sheet {
    pixels: Vec<[f32; 3]>,
    tint: [f32; 3],
}

impl Sheet {
    fn new(rng: &mut Rng) -> Self {
        let paper = [246.0, 250.0, 255.0][rng.below(3)];
        let tint = [
            rng.range(20.0, 120.0),
            rng.range(60.0, 140.0),
            rng.range(80.0, 190.0),
        ];
        Self {
            pixels: vec![[paper; 3]; WIDTH * HEIGHT],
            tint,
        }
    }

    fn blend(&mut self, x: isize, y: isize, colour: [f32; 3], part: f32) {
        if (0..WIDTH as isize).contains(&x) && (0..HEIGHT as isize).contains(&y) {
            let pixel = &mut self.pixels[y as usize * WIDTH + x as usize];
            pixel
                .iter_mut()
                .zip(colour)
                .for_each(|(p, c)| *p += part * (c - *p));
        }
    }

    fn guilloche(&mut self, rng: &mut Rng) {
        let lines = 10 + rng.below(14);
        let (wave, swing) = (rng.range(60.0, 240.0), rng.range(20.0, 90.0));
        let tint = self.tint;
        for line in 0..lines {
            let base = HEIGHT as f32 * (line as f32 + 0.5) / lines as f32;
            let phase = line as f32 * rng.range(0.2, 0.5);
            for x in 0..WIDTH {
                let y = base + swing * (x as f32 / wave + phase).sin();
                for dy in -1..=1 {
                    let at = y.floor() as isize + dy;
                    let part = (1.0 - (at as f32 - y).abs()).max(0.0);
                    self.blend(x as isize, at, tint, 0.35 * part);
                }
            }
        }
        for y in 0..110 {
            for x in 0..WIDTH {
                self.blend(x as isize, y, tint, 0.85);
            }
        }
    }

    /// A line of a pen `2 * radius` wide.
    fn stroke(&mut self, from: (f32, f32), to: (f32, f32), radius: f32, colour: [f32; 3]) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(1e-6);
        let reach = radius + 1.0;
        let xs = (from.0.min(to.0) - reach) as isize..=(from.0.max(to.0) + reach) as isize;
        for y in (from.1.min(to.1) - reach) as isize..=(from.1.max(to.1) + reach) as isize {
            for x in xs.clone() {
                let (px, py) = (x as f32 - from.0, y as f32 - from.1);
                let t = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let far = (px - t * dx).hypot(py - t * dy);
                self.blend(x, y, colour, (radius + 0.5 - far).clamp(0.0, 1.0));
            }
        }
    }

    fn text(&mut self, x: f32, y: f32, size: f32, colour: [f32; 3], text: &str) {
        let unit = size / 6.0;
        for (i, letter) in text.chars().enumerate() {
            let left = x + i as f32 * unit * 5.6;
            for line in strokes(letter).split_whitespace() {
                let digits: Vec<f32> = line.bytes().map(|b| f32::from(b - b'0')).collect();
                let points: Vec<(f32, f32)> = digits
                    .chunks_exact(2)
                    .map(|p| (left + p[0] * unit, y + p[1] * unit))
                    .collect();
                for pair in points.windows(2) {
                    self.stroke(pair[0], pair[1], (size / 16.0).max(0.7), colour);
                }
            }
        }
    }

    fn grain(&mut self, rng: &mut Rng) {
        // A scanner's: most documents reach a vault as scans or photographs, some as clean renderings.
        let level = [0.0, 0.6, 1.5, 2.5][rng.below(4)];
        for pixel in &mut self.pixels {
            let common = level * rng.normal();
            for p in pixel.iter_mut() {
                *p += common;
            }
        }
    }
}

fn portrait(sheet: &mut Sheet, rng: &mut Rng) {
    let (left, top, width, height) = (70_isize, 190_isize, 420_isize, 540_isize);
    let skin = rng.range(110.0, 225.0);
    let hair = rng.range(20.0, 120.0);
    let waves: Vec<[f32; 4]> = (0..40)
        .map(|_| {
            [
                rng.range(0.01, 0.6),
                rng.range(-0.6, 0.6),
                rng.range(0.0, 6.3),
                rng.range(0.5, 2.5),
            ]
        })
        .collect();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (
                x as f32 / width as f32 - 0.5,
                y as f32 / height as f32 - 0.5,
            );
            let rough: f32 = waves
                .iter()
                .map(|w| w[3] * (w[0] * x as f32 + w[1] * y as f32 + w[2]).sin())
                .sum();
            let face = (u / 0.26).powi(2) + ((v + 0.04) / 0.30).powi(2);
            let head = (u / 0.32).powi(2) + ((v + 0.10) / 0.33).powi(2);
            let light = 1.0 - 0.35 * (u + 0.2).abs();
            let eye = ((u.abs() - 0.1) / 0.035).powi(2) + ((v + 0.08) / 0.02).powi(2);
            let mouth = (u / 0.09).powi(2) + ((v - 0.12) / 0.018).powi(2);
            let value = if face < 1.0 && (eye < 1.0 || mouth < 1.0) {
                skin * 0.4
            } else if face < 1.0 {
                skin * light + 0.3 * rough
            } else if head < 1.0 {
                hair + 2.5 * rough
            } else if v > 0.24 + 0.6 * u * u {
                90.0 + rough
            } else {
                205.0 - 40.0 * v + 0.2 * rough
            };
            let colour = [value * 1.03, value * 0.93, value * 0.85];
            sheet.blend(left + x, top + y, colour, 1.0);
        }
    }
}

fn fields(sheet: &mut Sheet, rng: &mut Rng) {
    let ink = [25.0, 25.0, 35.0];
    let mut word = |length: usize| -> String {
        (0..length)
            .map(|_| char::from(b'A' + rng.below(26) as u8))
            .collect()
    };
    let (family, given, place) = (word(9), word(6), word(10));
    let digits: String = (0..9)
        .map(|_| char::from(b'0' + rng.below(10) as u8))
        .collect();
    sheet.text(60.0, 30.0, 52.0, [250.0; 3], "IDENTITY CARD");
    let lines = [
        ("SURNAME", &family),
        ("GIVEN NAMES", &given),
        ("PLACE OF BIRTH", &place),
        ("NUMBER", &digits),
    ];
    for (i, (label, value)) in lines.iter().enumerate() {
        let y = 190.0 + 130.0 * i as f32;
        sheet.text(560.0, y, 18.0, [90.0; 3], label);
        sheet.text(560.0, y + 34.0, 40.0, ink, value);
    }
    sheet.text(1180.0, 190.0, 18.0, [90.0; 3], "DATE OF BIRTH");
    sheet.text(
        1180.0,
        224.0,
        40.0,
        ink,
        &format!(
            "{}.0{}.19{}",
            10 + rng.below(18),
            1 + rng.below(9),
            50 + rng.below(49)
        ),
    );
    let first = format!("IDXYZ{digits}<<<<<<<<<<<<<<<<");
    let second = format!("{family}<<{given}<<<<<<<<<<<<<<<<<<<<<<<<");
    sheet.text(60.0, 800.0, 44.0, ink, &first[..30]);
    sheet.text(60.0, 890.0, 44.0, ink, &second[..30]);
}

/// A letter's lines, in points `xy` on a grid of 4 by 6.
fn strokes(letter: char) -> &'static str {
    match letter {
        'A' => "062046 1434",
        'B' => "003041423303 334445360600",
        'C' => "4130100105163645",
        'D' => "00204244260600",
        'E' => "40000646 0333",
        'F' => "400006 0333",
        'G' => "413010010516364543 4323",
        'H' => "0006 4046 0343",
        'I' => "2026 1030 1636",
        'J' => "4045361605",
        'K' => "0006 400346",
        'L' => "000646",
        'M' => "0600234046",
        'N' => "06004640",
        'O' => "103041453616050110",
        'P' => "06003041423303",
        'Q' => "103041453616050110 2446",
        'R' => "06003041423303 2346",
        'S' => "413010010213334445361605",
        'T' => "0040 2026",
        'U' => "000516364540",
        'V' => "002640",
        'W' => "0016233640",
        'X' => "0046 4006",
        'Y' => "002340 2326",
        'Z' => "00400646",
        '0' => "103041453616050110 4105",
        '1' => "112026 1636",
        '2' => "01103041420646",
        '3' => "011030414233 133344453616 1605",
        '4' => "36300444",
        '5' => "400003334445361605",
        '6' => "413010010516364544331304",
        '7' => "004016",
        '8' => "103041423313020110 1304051636454433",
        '9' => "443313020110304145361605",
        '<' => "400346",
        '.' => "2526",
        _ => "",
    }
}
