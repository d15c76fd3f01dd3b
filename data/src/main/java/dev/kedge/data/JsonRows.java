package dev.kedge.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.kedge.data.DataException.Place;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/// JSON records: one a line, or the elements of one array.
final class JsonRows {
    private JsonRows() {}

    static JsonMapper mapper(int maxRecordBytes) {
        var constraints =
                StreamReadConstraints.builder().maxStringLength(maxRecordBytes).build();
        return JsonMapper.builder(
                        JsonFactory.builder().streamReadConstraints(constraints).build())
                .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
                .build();
    }

    /// One record a line; blank lines are passed over.
    static void lines(InputStream in, Path path, int maxRecordBytes, Rows rows) throws IOException {
        JsonMapper mapper = mapper(maxRecordBytes)
                .rebuild()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
        Lines lines = new Lines(in, path, maxRecordBytes);
        while (true) {
            Place place;
            JsonNode record;
            try {
                String line = lines.next();
                if (line == null) {
                    return;
                }
                if (line.isBlank()) {
                    continue;
                }
                place = new Place(path, "line", lines.number());
                record = parse(mapper, line, place);
            } catch (DataException e) {
                rows.wrong(e);
                continue;
            }
            rows.row(place, record);
        }
    }

    /// Reads one record from text.
    private static JsonNode parse(JsonMapper mapper, String text, Place place) {
        try {
            return mapper.readTree(text);
        } catch (JsonProcessingException e) {
            throw new DataException(place, "expected a JSON object, found a mistake" + where(e, false));
        }
    }

    /// The elements of one array, or, where the file begins otherwise, one record a line.
    static void array(InputStream in, Path path, int maxRecordBytes, Rows rows) throws IOException {
        in.mark(64);
        int first = firstSignificant(in);
        in.reset();
        if (first != '[') {
            lines(in, path, maxRecordBytes, rows);
            return;
        }
        Bounded bounded = new Bounded(in, maxRecordBytes);
        long number = 1;
        try (JsonParser parser = mapper(maxRecordBytes).createParser(bounded)) {
            parser.nextToken();
            for (; parser.nextToken() != JsonToken.END_ARRAY; number++) {
                if (parser.currentToken() == null) {
                    throw new DataException(
                            Place.file(path), "expected the array's closing ], found the end of the file");
                }
                JsonNode record = parser.readValueAsTree();
                bounded.next();
                rows.row(new Place(path, "record", number), record);
            }
            if (parser.nextToken() != null) {
                throw new DataException(Place.file(path), "expected nothing after the array's closing ], found more");
            }
        } catch (TooLong e) {
            throw new DataException(
                    new Place(path, "record", number),
                    "expected at most " + maxRecordBytes + " bytes in a record, found more");
        } catch (JsonProcessingException e) {
            throw new DataException(
                    new Place(path, "record", number),
                    "expected a list of JSON objects, found a mistake" + where(e, true));
        }
    }

    private static int firstSignificant(InputStream in) throws IOException {
        for (int i = 0; i < 64; i++) {
            int b = in.read();
            if (b > ' ' && b != 0xef && b != 0xbb && b != 0xbf) {
                return b;
            }
        }
        return -1;
    }

    private static String where(JsonProcessingException e, boolean withLine) {
        JsonLocation at = e.getLocation();
        String message = e.getOriginalMessage();
        int end = message.indexOf('\n');
        String first = end < 0 ? message : message.substring(0, end);
        String shown = first.length() > 160 ? first.substring(0, 160) + "..." : first;
        String place = at == null
                ? ""
                : (withLine ? " at line " + at.getLineNr() + ", column " : " at column ") + at.getColumnNr();
        return place + ": " + shown;
    }

    /// Too many bytes for one record.
    private static final class TooLong extends IOException {}

    /// Bounds what one element of an array may hold, so that a hostile one cannot fill memory.
    private static final class Bounded extends FilterInputStream {
        /// What the parser may read ahead of a record's end.
        private static final int READ_AHEAD = 1 << 14;

        private final long max;
        private long left;

        Bounded(InputStream in, int max) {
            super(in);
            this.max = max;
            next();
        }

        void next() {
            left = max + READ_AHEAD;
        }

        @Override
        public int read() throws IOException {
            spend(1);
            return super.read();
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int n = super.read(bytes, from, length);
            spend(n);
            return n;
        }

        private void spend(int n) throws TooLong {
            left -= Math.max(n, 0);
            if (left < 0) {
                throw new TooLong();
            }
        }
    }
}
