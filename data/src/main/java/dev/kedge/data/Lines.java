package dev.kedge.data;

import dev.kedge.data.DataException.Place;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/// The lines of UTF-8 text, one at a time; a line ends with LF or CR LF. A byte order mark at the start is passed over.
final class Lines {
    private final InputStream in;
    private final Path path;
    private final int maxBytes;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private long number;

    Lines(InputStream in, Path path, int maxBytes) {
        this.in = in;
        this.path = path;
        this.maxBytes = maxBytes;
    }

    /// The number of the line that [#next] returned last, from 1.
    long number() {
        return number;
    }

    /// @return the next line without its end, or null after the last
    /// @throws DataException if the line is too long or not UTF-8; the line after it can still be read
    String next() throws IOException {
        line.reset();
        long length = 0;
        int b = in.read();
        if (b < 0) {
            return null;
        }
        number++;
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (++length <= maxBytes) {
                line.write(b);
            }
        }
        Place place = new Place(path, "line", number);
        if (length > maxBytes) {
            throw new DataException(place, "expected at most " + maxBytes + " bytes in a line, found " + length);
        }
        return decode(line.toByteArray(), place);
    }

    private String decode(byte[] bytes, Place place) {
        int start = number == 1
                        && bytes.length > 2
                        && bytes[0] == (byte) 0xef
                        && bytes[1] == (byte) 0xbb
                        && bytes[2] == (byte) 0xbf
                ? 3
                : 0;
        int end = bytes.length > start && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
        ByteBuffer buffer = ByteBuffer.wrap(bytes, start, end - start);
        try {
            return decoder.decode(buffer).toString();
        } catch (CharacterCodingException e) {
            int at = buffer.position();
            throw new DataException(
                    place,
                    String.format(
                            Locale.ROOT,
                            "expected UTF-8, found byte 0x%02x at byte %d of the line",
                            bytes[at] & 0xff,
                            at + 1));
        }
    }
}
