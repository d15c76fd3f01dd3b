package dev.kedge.data.fetch;

import dev.kedge.data.fetch.Entry.Item;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;

/// Brings files from their publishers.
///
/// What has come stands in `NAME.part` beside the final name. A connection that is cut, or silent for too long, is made
/// again and goes on from there; so does a later call after a kill.
public final class Network implements AutoCloseable {
    private static final int ATTEMPTS = 4;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client;
    private final Duration pause;
    private final Duration silence;

    /// @param pause   before the second attempt; twice as long before each further one
    /// @param silence how long a server may send nothing
    Network(Map<String, String> environment, Duration pause, Duration silence) {
        this.pause = pause;
        this.silence = silence;
        this.client = HttpClient.newBuilder()
                .executor(threads)
                .proxy(Proxies.of(environment))
                .followRedirects(HttpClient.Redirect.NORMAL)
                .connectTimeout(silence)
                .build();
    }

    /// @param environment variables that may name a proxy
    /// @throws IllegalArgumentException if one of them names none that can be used
    public static Network of(Map<String, String> environment) {
        return new Network(environment, Duration.ofSeconds(1), Duration.ofSeconds(30));
    }

    @Override
    public void close() {
        client.shutdownNow();
        threads.shutdownNow();
    }

    /// Brings an item that has an address.
    ///
    /// @param target  its final name, which it gets when it is whole and its sum is right
    /// @param arrived told how many bytes are here, as they come
    /// @throws FetchException if the server refuses, gives other bytes, or cannot be reached several times running
    void bring(Item item, Path target, LongConsumer arrived) throws IOException {
        URI address = item.address().orElseThrow();
        Path part = target.resolveSibling(target.getFileName() + ".part");
        Files.createDirectories(target.toAbsolutePath().getParent());
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = lock(channel, target)) {
            receiveAll(channel, item, address, arrived);
        } catch (Refused e) {
            Files.delete(part);
            throw new FetchException(target + ": " + e.getMessage());
        } catch (IOException e) {
            String kept = Files.size(part) > 0 ? "; what has come is kept, the same command goes on from there" : "";
            if (kept.isEmpty()) {
                Files.delete(part);
            }
            throw new FetchException(target + ": " + reason(e, address) + kept, e);
        }
        WholeFile.keep(part, item, target, address.toString());
    }

    /// An answer that another attempt would not better.
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    private static FileLock lock(FileChannel channel, Path target) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
        } catch (OverlappingFileLockException _) {
            // A thread of this process has it: the same message.
        }
        throw new FetchException(target + ": is being fetched already; wait for the other command");
    }

    private void receiveAll(FileChannel channel, Item item, URI address, LongConsumer arrived) throws IOException {
        int failures = 0;
        while (channel.size() < item.bytes()) {
            long before = channel.size();
            try {
                receive(channel, item, address, arrived);
            } catch (Refused e) {
                throw e;
            } catch (IOException e) {
                failures = channel.size() > before ? 1 : failures + 1;
                if (failures == ATTEMPTS) {
                    throw e;
                }
                sleep(pause.multipliedBy(1L << failures - 1));
            }
        }
    }

    /// One request for what is missing, appended until the file is full, or too full.
    private void receive(FileChannel channel, Item item, URI address, LongConsumer arrived) throws IOException {
        long have = channel.size();
        HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(silence);
        if (have > 0) {
            request.header("Range", "bytes=" + have + "-");
        }
        HttpResponse<InputStream> response = send(request.build());
        try (InputStream in = response.body()) {
            channel.position(start(response, have));
            channel.truncate(channel.position());
            byte[] buffer = new byte[1 << 16];
            for (int read = 0; read >= 0 && channel.size() <= item.bytes(); read = read(in, buffer)) {
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, read);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                arrived.accept(channel.size());
            }
        }
        if (channel.size() < item.bytes()) {
            throw new IOException("the answer ended after " + channel.size() + " of " + item.bytes() + " bytes");
        }
    }

    /// Where in the file the answer begins.
    private static long start(HttpResponse<?> response, long have) throws IOException {
        int status = response.statusCode();
        if (status == 200) {
            return 0;
        }
        if (status == 206) {
            String range = response.headers().firstValue("Content-Range").orElse("");
            if (range.startsWith("bytes " + have + "-")) {
                return have;
            }
            throw new Refused(response.uri() + " answers with the range \"" + range + "\", asked from byte " + have);
        }
        if (status == 416) {
            throw new Refused(response.uri() + " has no more than " + have + " bytes, fewer than expected");
        }
        String answer = response.uri() + " answers with status " + status;
        throw status >= 500 || status == 408 || status == 429 ? new IOException(answer) : new Refused(answer);
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    /// As [InputStream#read(byte\[\])], but not for ever.
    private int read(InputStream in, byte[] buffer) throws IOException {
        Future<Integer> read = threads.submit(() -> in.read(buffer));
        try {
            return read.get(silence.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("nothing came for " + silence.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cut ? cut : new IOException(e.getCause());
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static void sleep(Duration pause) throws IOException {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static IOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    private static String reason(IOException e, URI address) {
        if (e instanceof ConnectException) {
            return address.getHost() + " cannot be reached (a proxy may be needed: https_proxy=http://HOST:PORT)";
        }
        return address + ": " + (e.getMessage() == null ? e.toString() : e.getMessage());
    }
}
