//! The OLED's picture as a PNG file that looks like an OLED.

use az3166_event::Picture;

/// Each pixel of the display is a square of this many pixels, the last of them dark.
const SCALE: usize = 4;
/// The frame around the picture, in pixels.
const FRAME: usize = 12;

/// Palette: frame, gap between pixels, dark pixel, lit pixel.
const PALETTE: [[u8; 3]; 4] = [
    [0x16, 0x18, 0x1c],
    [0x02, 0x03, 0x05],
    [0x08, 0x0b, 0x10],
    [0x9f, 0xe8, 0xff],
];

/// `picture` as a PNG file.
pub fn png(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let width = Picture::WIDTH * SCALE + 2 * FRAME;
    let height = Picture::HEIGHT * SCALE + 2 * FRAME;
    let pixel = |x: usize, y: usize| -> u8 {
        let (Some(x), Some(y)) = (x.checked_sub(FRAME), y.checked_sub(FRAME)) else {
            return 0;
        };
        if x >= Picture::WIDTH * SCALE || y >= Picture::HEIGHT * SCALE {
            return 0;
        }
        match picture.is_lit(x / SCALE, y / SCALE) {
            _ if x % SCALE == SCALE - 1 || y % SCALE == SCALE - 1 => 1,
            false => 2,
            true => 3,
        }
    };
    // Two bits a pixel; both widths are multiples of 4.
    let data: Vec<u8> = (0..height)
        .flat_map(|y| (0..width / 4).map(move |group| (y, group)))
        .map(|(y, group)| (0..4).fold(0, |byte, bit| byte << 2 | pixel(group * 4 + bit, y)))
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(PALETTE.concat());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lit_pixels_shine_and_others_do_not() {
        let picture = Picture::from_fn(|x, y| (x, y) == (0, 0) || (x, y) == (127, 63));
        let file = png(&picture).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (536, 280));
        let at = |x: usize, y: usize| &pixels[(y * 536 + x) * 3..][..3];
        let place = |x: usize, y: usize| at(FRAME + x * SCALE + 1, FRAME + y * SCALE + 1);
        assert_eq!(place(0, 0), PALETTE[3]);
        assert_eq!(place(127, 63), PALETTE[3]);
        assert_eq!(place(1, 0), PALETTE[2]);
        assert_eq!(at(0, 0), PALETTE[0]);
    }
}
