package dev.kedge.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.ReadOptions.Ties;
import dev.kedge.data.ReadOptions.Wrong;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// The examples of a file, in its order.
///
/// @param examples at least one
/// @param places   where each of them stands
/// @param skipped  what was left out
public record Dataset(List<Example> examples, List<Place> places, Skipped skipped) {
    public Dataset {
        examples = List.copyOf(examples);
        places = List.copyOf(places);
    }

    /// Reads `.jsonl`, `.json` (an array, or one object a line), `.txt` or `.parquet`; the first three also as gzip,
    /// which is known by its first bytes.
    ///
    /// @throws DataException if the file cannot be read, holds no usable record, or holds a wrong one where
    ///                       wrong ones fail
    public static Dataset read(Path path, ReadOptions options) {
        List<Example> examples = new ArrayList<>();
        List<Place> places = new ArrayList<>();
        Skipped skipped = read(path, options, (example, place) -> {
            examples.add(example);
            places.add(place);
        });
        if (examples.isEmpty()) {
            List<String> lines = skipped.lines();
            throw new DataException(
                    Place.file(path),
                    lines.isEmpty()
                            ? "expected records, found none"
                            : "no record can be used; " + skipped.count() + " left out, most often: "
                                    + lines.getFirst());
        }
        return new Dataset(examples, places, skipped);
    }

    /// Reads strictly; see [ReadOptions#strict].
    public static Dataset read(Path path) {
        return read(path, ReadOptions.strict());
    }

    /// As [#read], but each example goes to `sink` as it comes and none is held. Of an empty file nothing comes.
    ///
    /// @return what was left out
    public static Skipped stream(Path path, ReadOptions options, Consumer<Example> sink) {
        return read(path, options, (example, _) -> sink.accept(example));
    }

    private static Skipped read(Path path, ReadOptions options, BiConsumer<Example, Place> sink) {
        Source.requireFile(path);
        Source.Format format = Source.format(path);
        Sorted rows = new Sorted(options, sink);
        if (format == Source.Format.PARQUET) {
            ParquetRows.rows(path, options.maxRecordBytes(), rows);
            return rows.skipped.skipped();
        }
        try (InputStream in = Source.open(path)) {
            switch (format) {
                case JSON_LINES -> JsonRows.lines(in, path, options.maxRecordBytes(), rows);
                case JSON -> JsonRows.array(in, path, options.maxRecordBytes(), rows);
                default -> TextRows.documents(in, path, options, rows);
            }
        } catch (IOException e) {
            throw Source.unreadable(path, e);
        }
        return rows.skipped.skipped();
    }

    /// Good records to the sink, others to the count.
    private static final class Sorted implements Rows {
        private final ReadOptions options;
        private final BiConsumer<Example, Place> sink;
        private final RecordForm form;
        private final Skipped.Counter skipped = new Skipped.Counter();

        Sorted(ReadOptions options, BiConsumer<Example, Place> sink) {
            this.options = options;
            this.sink = sink;
            this.form = new RecordForm(options);
        }

        @Override
        public void row(Place place, JsonNode record) {
            Example example;
            try {
                example = form.parse(record, place);
            } catch (DataException e) {
                wrong(e);
                return;
            }
            if (options.ties() == Ties.SKIP && example instanceof Preference preference && preference.isTie()) {
                skipped.add("chosen and rejected are the same", place.toString());
                return;
            }
            sink.accept(example, place);
        }

        @Override
        public void wrong(DataException problem) {
            if (options.wrong() == Wrong.FAIL) {
                throw problem;
            }
            skipped.add(problem.reason(), problem.place().toString());
        }
    }
}
