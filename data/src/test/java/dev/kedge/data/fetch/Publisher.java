package dev.kedge.data.fetch;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A server on this machine with one file, `/a.bin`, that breaks off, ignores ranges or fails as it is told. It serves
/// as a proxy for any host too.
final class Publisher implements AutoCloseable {
    private enum Break {
        NEVER,
        ONCE,
        ALWAYS
    }

    private final byte[] content;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<String> ranges = new CopyOnWriteArrayList<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Break breaks = Break.NEVER;
    private volatile int breakAfter;
    private volatile boolean stalls;
    private volatile boolean ignoresRanges;
    private volatile int later = 200;

    Publisher(byte[] content) throws IOException {
        this.content = content;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/a.bin");
    }

    /// The Range header of each request so far, empty where there was none.
    List<String> ranges() {
        return List.copyOf(ranges);
    }

    /// What each request asked for.
    List<String> asked() {
        return List.copyOf(asked);
    }

    void cutAfter(int bytes) {
        breakAfter = bytes;
        breaks = Break.ONCE;
    }

    void cutAlwaysAfter(int bytes) {
        breakAfter = bytes;
        breaks = Break.ALWAYS;
    }

    void stallAfter(int bytes) {
        cutAfter(bytes);
        stalls = true;
    }

    void ignoreRanges() {
        ignoresRanges = true;
    }

    /// The status of all answers after the first.
    void failAfterwards(int status) {
        later = status;
    }

    void behave() {
        breaks = Break.NEVER;
        later = 200;
    }

    private void answer(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        ranges.add(range == null ? "" : range);
        asked.add(exchange.getRequestURI().toString());
        switch (exchange.getRequestURI().getPath()) {
            case "/a.bin" -> file(exchange, range);
            case "/moved" -> {
                exchange.getResponseHeaders().add("Location", "/a.bin");
                status(exchange, 302);
            }
            default -> status(exchange, 404);
        }
    }

    private static void status(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private void file(HttpExchange exchange, String range) throws IOException {
        if (later != 200 && ranges.size() > 1) {
            status(exchange, later);
            return;
        }
        int from = range == null || ignoresRanges
                ? 0
                : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
        if (from >= content.length) {
            status(exchange, 416);
            return;
        }
        if (from > 0) {
            exchange.getResponseHeaders()
                    .add("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
        boolean broken = breaks != Break.NEVER;
        breaks = breaks == Break.ONCE ? Break.NEVER : breaks;
        int length = broken ? Math.min(breakAfter, content.length - from) : content.length - from;
        OutputStream out = exchange.getResponseBody();
        out.write(content, from, length);
        out.flush();
        if (broken && stalls) {
            await();
        }
        exchange.close();
    }

    private void await() {
        try {
            closed.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
