package dev.kedge.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Serial;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/// Standard output that ends a command when it cannot be written: a [PrintStream] alone keeps the error to itself, and
/// a command whose words went nowhere would end well.
final class StandardOutput extends OutputStream {
    /// What was said went nowhere.
    static final class Unwritable extends UncheckedIOException {
        @Serial
        private static final long serialVersionUID = 1;

        private Unwritable(IOException cause) {
            super("standard output cannot be written: " + cause.getMessage(), cause);
        }

        /// Whether the reader has gone, as `head` does once it has its lines.
        boolean readerGone() {
            return String.valueOf(getCause().getMessage()).contains("pipe");
        }
    }

    private final OutputStream out;

    private StandardOutput(OutputStream out) {
        this.out = out;
    }

    /// Lines go out as they end.
    static PrintStream to(OutputStream out, Charset charset) {
        return new PrintStream(new BufferedOutputStream(new StandardOutput(out)), true, spoken(charset));
    }

    /// UTF-8 in place of ASCII, which has no more to lose: what is beyond ASCII would else become question marks.
    static Charset spoken(Charset charset) {
        return charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset;
    }

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        try {
            out.write(bytes, from, length);
        } catch (IOException e) {
            throw new Unwritable(e);
        }
    }

    @Override
    public void flush() {
        try {
            out.flush();
        } catch (IOException e) {
            throw new Unwritable(e);
        }
    }
}
