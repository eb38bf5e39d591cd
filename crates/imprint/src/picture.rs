//! Pictures as values: interleaved RGB bytes, and planes of luminance to compute with.

/// The most pixels that a picture may have: 100 megapixels, as ingest allows.
pub const MAX_PIXELS: usize = 100_000_000;

/// The shortest side that can carry an imprint, in pixels.
pub const MIN_SIDE: usize = 32;

/// Why bytes are no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// A side is shorter than [`MIN_SIDE`], or the area is beyond [`MAX_PIXELS`].
    #[error(
        "a picture of {width} by {height} pixels: sides of at least 32 and at most 100 megapixels are taken"
    )]
    Size {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// The bytes are not three for each pixel.
    #[error("{found} bytes, where {expected} are three for each pixel")]
    Length {
        /// Three times width times height.
        expected: usize,
        /// What was given.
        found: usize,
    },
}

/// An 8-bit sRGB picture, row by row, three bytes a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Picture {
    /// A picture over decoded bytes.
    pub fn new(width: usize, height: usize, bytes: Vec<u8>) -> Result<Self, PictureError> {
        let area = width.checked_mul(height).filter(|area| *area <= MAX_PIXELS);
        let Some(area) = area.filter(|_| width.min(height) >= MIN_SIDE) else {
            return Err(PictureError::Size { width, height });
        };
        let (expected, found) = (area * 3, bytes.len());
        if expected != found {
            return Err(PictureError::Length { expected, found });
        }
        Ok(Self {
            width,
            height,
            bytes,
        })
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Three bytes for each pixel, row by row.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes alone, for an encoder.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_exact_mut(self.width * 3)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.width * 3)
    }

    /// Luminance by ITU-R BT.601, 0 to 255.
    #[must_use]
    pub fn luminance(&self) -> Plane {
        let values = self
            .bytes
            .chunks_exact(3)
            .map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]))
            .collect();
        Plane {
            width: self.width,
            height: self.height,
            values,
        }
    }
}

/// One number for each pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f32>,
}

impl Plane {
    pub(crate) fn filled(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            height,
            values: vec![value; width * height],
        }
    }

    pub(crate) fn from_fn(
        width: usize,
        height: usize,
        mut of: impl FnMut(usize, usize) -> f32,
    ) -> Self {
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            values.extend((0..width).map(|x| of(x, y)));
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// One value; none beyond the borders is asked for.
    #[must_use]
    pub fn value(&self, x: usize, y: usize) -> f32 {
        self.clamped(x as isize, y as isize)
    }

    pub(crate) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    pub(crate) fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.values[y * self.width..][..self.width]
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The value at the nearest pixel inside.
    pub(crate) fn clamped(&self, x: isize, y: isize) -> f32 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.at(x, y)
    }

    pub(crate) fn map2(&self, other: &Self, of: impl Fn(f32, f32) -> f32) -> Self {
        let pairs = self.values.iter().zip(&other.values);
        let values = pairs.map(|(a, b)| of(*a, *b)).collect();
        Self {
            width: self.width,
            height: self.height,
            values,
        }
    }

    pub(crate) fn map(&self, of: impl Fn(f32) -> f32) -> Self {
        let values = self.values.iter().map(|a| of(*a)).collect();
        Self {
            width: self.width,
            height: self.height,
            values,
        }
    }
}
