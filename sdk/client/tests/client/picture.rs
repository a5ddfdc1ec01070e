//! Pictures: what is drawn is what is read.

use fengni_client::picture::{self, PictureError};

fn text(bytes: usize) -> String {
    // Base45 writes three characters for two bytes.
    let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let body = alphabet.chars().cycle().skip(bytes % 7).take(bytes / 2 * 3);
    "FN1:".chars().chain(body).collect()
}

#[test]
fn a_code_survives_its_picture_at_every_size() {
    for bytes in [20, 200, 420, 644, 752] {
        let text = text(bytes);
        for scale in [2, 3, 5] {
            let png = picture::png(&text, scale).expect("a code fits");
            assert_eq!(picture::read(&png).as_deref(), Ok(text.as_str()), "{bytes} bytes, scale {scale}");
        }
    }
    assert_eq!(picture::version(&text(644)), Ok(20));
    assert_eq!(picture::version(&text(752)), Ok(22));
}

#[test]
fn what_does_not_fit_or_is_no_picture_is_named() {
    assert_eq!(picture::png(&text(900), 2), Err(PictureError::TooLong));
    assert_eq!(picture::svg("fn1:lower"), Err(PictureError::Characters));
    assert!(matches!(picture::read(b"not a picture"), Err(PictureError::Format(_))));
    let mut white = Vec::new();
    let mut writer = png_of_white(&mut white);
    writer.write_image_data(&[255; 100 * 100]).expect("as many pixels as the header says");
    drop(writer);
    assert_eq!(picture::read(&white), Err(PictureError::NoCode));
}

fn png_of_white(bytes: &mut Vec<u8>) -> png::Writer<&mut Vec<u8>> {
    let mut encoder = png::Encoder::new(bytes, 100, 100);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().expect("writing into memory does not fail")
}

#[test]
fn terminal_and_svg_show_the_same_modules() {
    let text = text(100);
    let drawn = picture::terminal(&text, false).expect("a code fits");
    let dark: usize = drawn
        .chars()
        .map(|shown| match shown {
            '█' => 2,
            '▀' | '▄' => 1,
            _ => 0,
        })
        .sum();
    let svg = picture::svg(&text).expect("a code fits");
    assert_eq!(svg.matches("h1v1h-1z").count(), dark);
}
