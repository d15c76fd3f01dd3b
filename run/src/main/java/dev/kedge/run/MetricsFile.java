package dev.kedge.run;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// `metrics.jsonl`: one JSON object a line, handed to the system at once.
final class MetricsFile implements AutoCloseable {
    private static final JsonFactory JSON = new JsonFactory();

    private final FileChannel channel;
    private long lines;

    private MetricsFile(FileChannel channel, long lines) {
        this.channel = channel;
        this.lines = lines;
    }

    /// Opens the file and cuts it off behind its first `keep` lines; an unfinished last line goes in any case.
    static MetricsFile open(Path path, long keep) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        long lines = 0;
        long end = 0;
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        for (long at = 0; lines < keep && channel.read(buffer.clear(), at) > 0; at += buffer.position()) {
            for (int i = 0; i < buffer.position() && lines < keep; i++) {
                if (buffer.get(i) == '\n') {
                    lines++;
                    end = at + i + 1;
                }
            }
        }
        channel.truncate(end);
        channel.position(end);
        return new MetricsFile(channel, lines);
    }

    long lines() {
        return lines;
    }

    /// Adds a line; non-finite numbers stand as strings. Maps without an order are written by name.
    void write(String phase, long step, double seconds, Map<String, Double> metrics) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(line)) {
            json.writeStartObject();
            json.writeNumberField("step", step);
            json.writeNumberField("time_s", Math.round(seconds * 1000) / 1000.0);
            json.writeStringField("phase", phase);
            for (var metric : ordered(metrics).entrySet()) {
                if (metric.getKey().matches("step|time_s|phase")) {
                    throw new IllegalArgumentException("a metric cannot be called " + metric.getKey());
                }
                json.writeNumberField(metric.getKey(), metric.getValue());
            }
            json.writeEndObject();
        }
        line.write('\n');
        ByteBuffer bytes = ByteBuffer.wrap(line.toByteArray());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        lines++;
    }

    /// The metrics in their own order; by name where the map has none, since `Map.of` changes its order from one
    /// process to the next.
    static Map<String, Double> ordered(Map<String, Double> metrics) {
        return metrics instanceof SequencedMap<String, Double> ? metrics : new TreeMap<>(metrics);
    }

    /// Returns when all lines are on the disk.
    void sync() throws IOException {
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
