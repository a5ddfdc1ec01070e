//! Pictures: a code as a QR symbol, for a screen, a page or a terminal, and back from a photograph.

use std::io::Cursor;

use fengni_core::code::PREFIX;
use image::{DynamicImage, ImageReader, Limits};
use qrcodegen::{DataTooLong, QrCode, QrCodeEcc, QrSegment, Version};
use thiserror::Error;

/// The largest symbol that phones read well.
const VERSION_MAX: u8 = 22;
/// Light modules around a symbol.
const BORDER: i32 = 4;
/// Pixels of a module, at most.
const SCALE_MAX: u32 = 64;
/// Pixels of one side of a picture that is read.
const SIDE_MAX: u32 = 8192;
/// Bytes that reading a picture may take.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Why there is no picture, or no code in it.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PictureError {
    /// A character that the alphanumeric mode does not have.
    #[error("the text is not made of the 45 characters of a code")]
    Characters,
    /// Too long for the largest symbol.
    #[error("the text is too long for a QR code of version {VERSION_MAX}")]
    TooLong,
    /// Not a PNG or JPEG, or too large.
    #[error("not a picture in PNG or JPEG of at most {SIDE_MAX} pixels a side: {0}")]
    Format(String),
    /// No symbol that can be read.
    #[error("no QR code could be read; next: take the picture from nearer and straight on")]
    NoCode,
}

/// The QR symbol of a code's text: alphanumeric mode, level M, version 22 at most.
fn symbol(text: &str) -> Result<QrCode, PictureError> {
    if !QrSegment::is_alphanumeric(text) {
        return Err(PictureError::Characters);
    }
    let segment = [QrSegment::make_alphanumeric(text)];
    let (min, max) = (Version::MIN, Version::new(VERSION_MAX));
    QrCode::encode_segments_advanced(&segment, QrCodeEcc::Medium, min, max, None, false).map_err(|error| match error {
        DataTooLong::SegmentTooLong | DataTooLong::DataOverCapacity(..) => PictureError::TooLong,
    })
}

/// Version of the QR symbol that a text needs, 1 to 22.
///
/// # Errors
/// [`PictureError`].
pub fn version(text: &str) -> Result<u8, PictureError> {
    Ok(symbol(text)?.version().value())
}

/// A code as PNG, `scale` pixels a module (1 to 64).
///
/// # Errors
/// [`PictureError`].
pub fn png(text: &str, scale: u32) -> Result<Vec<u8>, PictureError> {
    let symbol = symbol(text)?;
    let scale = scale.clamp(1, SCALE_MAX);
    let modules = u32::try_from(symbol.size() + 2 * BORDER).expect("a symbol has 21 to 177 modules a side");
    let side = modules * scale;
    let mut pixels = Vec::with_capacity((side * side) as usize);
    for y in 0..side {
        for x in 0..side {
            pixels.push(if is_dark(&symbol, x / scale, y / scale) { 0 } else { 255 });
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("writing into memory does not fail");
    writer.write_image_data(&pixels).expect("as many pixels as the header says");
    writer.finish().expect("writing into memory does not fail");
    Ok(bytes)
}

/// Whether a module is dark, counted with the border.
fn is_dark(symbol: &QrCode, x: u32, y: u32) -> bool {
    let inside = |place: u32| i32::try_from(place).unwrap_or(i32::MAX).saturating_sub(BORDER);
    symbol.get_module(inside(x), inside(y))
}

/// A code as SVG, one unit a module.
///
/// # Errors
/// [`PictureError`].
pub fn svg(text: &str) -> Result<String, PictureError> {
    let symbol = symbol(text)?;
    let side = symbol.size() + 2 * BORDER;
    let mut path = String::new();
    for y in 0..symbol.size() {
        for x in 0..symbol.size() {
            if symbol.get_module(x, y) {
                path.push_str(&format!("M{},{}h1v1h-1z", x + BORDER, y + BORDER));
            }
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/><path d=\"{path}\"/></svg>\n"
    ))
}

/// A code for a terminal, two modules a character, for dark letters on a light ground or, with
/// `inverted`, light letters on a dark ground.
///
/// # Errors
/// [`PictureError`].
pub fn terminal(text: &str, inverted: bool) -> Result<String, PictureError> {
    let symbol = symbol(text)?;
    let border = BORDER / 2;
    let mut out = String::new();
    for y in (-border..symbol.size() + border).step_by(2) {
        for x in -border..symbol.size() + border {
            let ink = |y| symbol.get_module(x, y) != inverted;
            out.push(match (ink(y), ink(y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push('\n');
    }
    Ok(out)
}

/// The text of the code in a picture: the first that begins as a code does, else the first at all.
///
/// # Errors
/// [`PictureError::Format`] and [`PictureError::NoCode`].
pub fn read(bytes: &[u8]) -> Result<String, PictureError> {
    let grey = open(bytes)?.into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| grey.as_raw()[y * width + x]);
    let mut first = None;
    for grid in prepared.detect_grids() {
        let Ok((_, text)) = grid.decode() else { continue };
        if text.starts_with(PREFIX) {
            return Ok(text);
        }
        first = first.or(Some(text));
    }
    first.ok_or(PictureError::NoCode)
}

/// Reads a picture of a stranger within limits.
fn open(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(READ_BYTES_MAX);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|error| PictureError::Format(error.to_string()))?;
    reader.decode().map_err(|error| PictureError::Format(error.to_string()))
}
