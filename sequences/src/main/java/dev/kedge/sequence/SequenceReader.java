package dev.kedge.sequence;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.Dataset;
import dev.kedge.data.Document;
import dev.kedge.data.Example;
import dev.kedge.data.LabelledSequence;
import dev.kedge.data.Packing;
import dev.kedge.data.Preference;
import dev.kedge.data.PromptCompletion;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.data.Skipped;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenisation.Tokens;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.run.Run;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/// From a user's file to the tokens that a model learns from and those that it is judged by: examples, the split, the
/// template, truncation. What is left out is noted in the run.
///
/// Every form is sequences that know their prompts: pairs are two of them, labelled ones carry a label, prompts have
/// no targets. Each method throws [ConfigException] if there are no more examples than are held out, or all have one
/// prompt, [DataException] if the file cannot be read or one side of the split has nothing left.
///
/// Examples of one prompt stay on one side, and are counted in the run: a held-out prompt is never one that is learnt
/// from.
///
/// @param tokenisation of the model that learns
/// @param heldOut      examples kept for judging, >= 1; as near to it as whole prompts come
public record SequenceReader(Tokenisation tokenisation, int heldOut, Run run) {
    /// @param maxLength  tokens of prompt and reply together; less where the model has fewer positions
    /// @param truncation what happens to longer ones
    public static SequenceReader of(PretrainedModel model, int maxLength, Truncation truncation, int heldOut, Run run) {
        return new SequenceReader(model.tokenisation(maxLength, truncation), heldOut, run);
    }

    /// How a file is read whose keys or separator are not the usual ones.
    ///
    /// @param promptKey     the key that stands for `prompt` in the file, where it is another
    /// @param completionKey the key that stands for `completion`
    /// @param separator     between the documents of a text file
    public static ReadOptions options(
            Optional<String> promptKey, Optional<String> completionKey, Optional<String> separator) {
        Map<String, String> keys = new LinkedHashMap<>();
        promptKey.ifPresent(key -> keys.put("prompt", key));
        completionKey.ifPresent(key -> keys.put("completion", key));
        ReadOptions options = ReadOptions.skipping().withKeys(keys);
        return separator.map(options::withSeparator).orElse(options);
    }

    /// An example, where it stands, and what those of one prompt have in common.
    private record Placed(Example example, Place place, Object group) {}

    private interface Part<T> {
        Tokens<T> tokens(List<Example> examples, List<Place> places);

        default Tokens<T> tokens(List<Placed> part) {
            return tokens(
                    part.stream().map(Placed::example).toList(),
                    part.stream().map(Placed::place).toList());
        }
    }

    /// Preference pairs; the last ones of the file are held out.
    public Split<TokenizedPair> pairs(Path file) {
        return split(file, "pair", this::last, (examples, places) -> tokenisation.pairs(examples, places, Wrong.SKIP));
    }

    /// Completions that are desirable or not, as they come or as the two of each pair; the last examples of the file
    /// are held out.
    public Split<LabelledSequence> labelled(Path file) {
        return split(file, "completion", this::last, (examples, places) -> {
            if (!examples.stream().allMatch(Preference.class::isInstance)) {
                return tokenisation.labelled(examples, places, Wrong.SKIP);
            }
            Tokens<TokenizedPair> pairs = tokenisation.pairs(examples, places, Wrong.SKIP);
            return tokens(
                    pairs.items().stream()
                            .flatMap(pair -> LabelledSequence.of(pair).stream())
                            .toList(),
                    pairs.skipped());
        });
    }

    /// Prompts, of whatever has one; the last ones of the file are held out.
    public Split<Tokenized> prompts(Path file) {
        return split(file, "prompt", this::last, (examples, places) -> {
            Tokens<int[]> prompts = tokenisation.prompts(examples, places, Wrong.SKIP);
            return tokens(prompts.items().stream().map(Tokenized::ofPrompt).toList(), prompts.skipped());
        });
    }

    /// Completions or text to learn by heart; those held out are drawn by seed. Documents are joined and cut into
    /// windows; everything else is one sequence each: of a preference, the chosen reply.
    public Split<Tokenized> sequences(Path file, ReadOptions options, long seed) {
        return split(file, options, "sequence", seeded(seed), this::sequences);
    }

    /// The same of a file that nothing is learnt from: as many as are held out, drawn by seed.
    public List<Tokenized> judged(Path file, ReadOptions options, long seed) {
        Part<Tokenized> part = this::sequences;
        Tokens<Tokenized> judged =
                part.tokens(Split.seeded(read(file, options), heldOut, seed).heldOut());
        note(judged.skipped());
        requireSome(judged, "sequence is left to judge by", file);
        return judged.items();
    }

    /// How many of the examples that [#judged] draws have a prompt that [#sequences] of another file learns from.
    ///
    /// @param seed of the former, and `learntSeed` of the latter
    public int shared(
            Path judged, ReadOptions options, long seed, Path learnt, ReadOptions learntOptions, long learntSeed) {
        List<Placed> known = seeded(learntSeed)
                .apply(placed(Dataset.read(learnt, learntOptions)))
                .train();
        List<Placed> drawn = Split.seeded(placed(Dataset.read(judged, options)), heldOut, seed)
                .heldOut();
        return Split.shared(known, drawn, Placed::group);
    }

    private Function<List<Placed>, Split<Placed>> seeded(long seed) {
        return all -> Split.seeded(all, Placed::group, heldOut, seed);
    }

    private Tokens<Tokenized> sequences(List<Example> examples, List<Place> places) {
        if (examples.stream().allMatch(Document.class::isInstance)) {
            return tokens(windows(examples), Skipped.NONE);
        }
        List<Example> replies = examples.stream()
                .map(e -> e instanceof Preference p ? new PromptCompletion(p.prompt(), p.chosen()) : e)
                .toList();
        return tokenisation.sequences(replies, places, Wrong.SKIP);
    }

    private List<Tokenized> windows(List<Example> documents) {
        Tokenizer tokenizer = tokenisation.tokenizer();
        int end = tokenizer.bos().isPresent() ? -1 : tokenizer.eos().orElse(-1); // BOS parts documents already
        return Packing.windows(
                documents.stream()
                        .map(e -> tokenizer.encode(((Document) e).text()))
                        .toList(),
                tokenisation.maxLength(),
                end);
    }

    private Split<Placed> last(List<Placed> all) {
        return Split.last(all, Placed::group, heldOut);
    }

    private static <T> Tokens<T> tokens(List<T> items, Skipped skipped) {
        return new Tokens<>(items, new int[0], skipped);
    }

    private <T> Split<T> split(
            Path file, String what, Function<List<Placed>, Split<Placed>> splitting, Part<T> tokens) {
        return split(file, ReadOptions.skipping(), what, splitting, tokens);
    }

    private <T> Split<T> split(
            Path file,
            ReadOptions options,
            String what,
            Function<List<Placed>, Split<Placed>> splitting,
            Part<T> tokens) {
        List<Placed> all = parted(read(file, options), file);
        Split<Placed> sides = splitting.apply(all);
        Tokens<T> train = tokens.tokens(sides.train());
        Tokens<T> judged = tokens.tokens(sides.heldOut());
        note(train.skipped());
        note(judged.skipped());
        requireSome(train, what + " is left to learn from", file);
        requireSome(judged, what + " is left to judge by", file);
        return new Split<>(train.items(), judged.items());
    }

    /// Of one prompt each example is a group of its own.
    private List<Placed> parted(List<Placed> all, Path file) {
        return remarkRepeats(all, Placed::group, file, run)
                ? all
                : all.stream()
                        .map(p -> new Placed(p.example(), p.place(), p.place()))
                        .toList();
    }

    /// More examples than are held out.
    private List<Placed> read(Path file, ReadOptions options) {
        Dataset data = Dataset.read(file, options);
        note(data.skipped());
        int count = data.examples().size();
        if (count <= heldOut) {
            throw new ConfigException("held_out is " + heldOut + ", but " + file + " has only " + count + " examples");
        }
        return placed(data);
    }

    private List<Placed> placed(Dataset data) {
        return IntStream.range(0, data.examples().size())
                .mapToObj(i -> {
                    Example example = data.examples().get(i);
                    return new Placed(example, data.places().get(i), tokenisation.group(example));
                })
                .toList();
    }

    /// Counts in the run the examples whose prompt an earlier one has, too.
    ///
    /// @return whether there is more than one prompt: else held-out examples have the one that is learnt from,
    ///         which is said
    public static <T> boolean remarkRepeats(List<T> all, Function<? super T, ?> prompt, Path file, Run run) {
        int repeats = Split.repeats(all, prompt);
        if (repeats == all.size() - 1) {
            run.remark("all " + all.size() + " records of " + file.getFileName()
                    + " have one prompt: what is held out has the prompt that is learnt from");
            return false;
        }
        if (repeats > 0) {
            run.remark(repeats + " of " + all.size() + " records of " + file.getFileName()
                    + " repeat an earlier prompt: kept on one side");
        }
        return true;
    }

    private void note(Skipped skipped) {
        skipped.lines().forEach(line -> run.note("left out: " + line));
    }

    private static void requireSome(Tokens<?> tokens, String what, Path file) {
        if (tokens.items().isEmpty()) {
            List<String> reasons = tokens.skipped().lines();
            String why = reasons.isEmpty() ? "" : "; left out: " + reasons.getFirst();
            throw new DataException(Place.file(file), "", "no " + what + why);
        }
    }
}
