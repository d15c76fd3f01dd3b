package dev.kedge.task;

import dev.kedge.nn.file.GenerationConfig;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.KvCache;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Texts of one length over a few letters, so few that a decoder's probabilities of all of them can be computed: what
/// is otherwise estimated from samples is exact here.
///
/// The source is a random Markov chain of letters; the prior is a decoder that learnt a little of it. A decoder begins
/// with a token of its own, which is never drawn: of its logits those of the letters count. Texts are numbered with
/// their first letter as the highest digit.
public final class EnumerableLanguage implements AutoCloseable {
    /// As many texts as are enumerated without ado.
    public static final int MOST = 1 << 18;

    /// Of metrics while a prior learns.
    public static final String PHASE = "pretraining";

    /// Prefixes in a forward pass.
    private static final int CHUNK = 2048;

    /// @param letters     of the alphabet, from 2 to 26
    /// @param length      of a text, letters, >= 2
    /// @param hiddenSize  of the decoders
    /// @param layers      of the decoders
    /// @param heads       of the decoders
    /// @param pretraining on texts of the source, fresh ones at every step
    public record Config(int letters, int length, int hiddenSize, int layers, int heads, TrainingConfig pretraining) {
        public Config {
            if (letters < 2 || letters > 26 || length < 2) {
                throw new IllegalArgumentException(
                        "letters from 2 to 26 and length >= 2 expected, were " + letters + " and " + length);
            }
            if (Math.pow(letters, length) > MOST) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "%d letters make %.3g texts of length %d, too many to enumerate: at most %d, so length <= %d",
                        letters,
                        Math.pow(letters, length),
                        length,
                        MOST,
                        (int) (Math.log(MOST) / Math.log(letters) + 1e-9)));
            }
            if (layers < 1 || heads < 1 || hiddenSize < 1 || hiddenSize % heads != 0) {
                throw new IllegalArgumentException("layers >= 1 and hidden_size a multiple of heads expected, were "
                        + layers + ", " + hiddenSize + " and " + heads);
            }
        }

        public int texts() {
            return (int) Math.round(Math.pow(letters, length));
        }

        public String text(int number) {
            char[] text = new char[length];
            for (int t = length - 1, rest = number; t >= 0; t--, rest /= letters) {
                text[t] = (char) ('a' + rest % letters);
            }
            return new String(text);
        }
    }

    /// What a policy reads before it writes a letter.
    public enum Reads {
        /// All letters before.
        TEXT,
        /// Nothing but the place: letters are independent, which most targets are not.
        PLACE
    }

    /// Texts sampled, with their exact log-probabilities under the model that they were sampled from.
    ///
    /// @param tokens   `[B, L]` int64
    /// @param numbers  of the texts, `[B]`
    /// @param logProbs nats, float64, `[B]`
    public record Samples(Tensor tokens, int[] numbers, Tensor logProbs) {
        /// Entries of a table over all texts: float64, `[B]`.
        public Tensor of(double[] table) {
            return Tensor.of(Arrays.stream(numbers).mapToDouble(i -> table[i]).toArray());
        }
    }

    private final Config config;
    private final Device device;
    private final long seed;
    private final Run run;
    private final Decoder prior;
    private final double[] logPrior;

    /// The language of a run: its prior is pre-trained here, or read where the run has made it already.
    public EnumerableLanguage(Config config, Run run, Device device, long seed) {
        this.config = config;
        this.device = device;
        this.seed = seed;
        this.run = run;
        prior = pretrained(Reads.TEXT);
        logPrior = logProbs(prior, Reads.TEXT);
    }

    /// A decoder that learnt the source, in the run's folder: made where it is not there yet.
    public Decoder pretrained(Reads reads) {
        Path folder = run.folder().resolve(reads == Reads.TEXT ? "prior" : "prior-of-places");
        if (!Models.isComplete(folder)) {
            int width = config.hiddenSize();
            var shape = new DecoderConfig(
                    config.letters() + 1,
                    width,
                    4 * width,
                    config.layers(),
                    config.heads(),
                    config.heads(),
                    width / config.heads(),
                    config.length(),
                    DecoderConfig.Norm.LAYER,
                    1e-5,
                    new DecoderConfig.Positions.Learned(),
                    DecoderConfig.Mlp.GELU_TANH,
                    true,
                    true,
                    true,
                    false,
                    false,
                    true);
            try (Rng rng = Rng.seeded(Streams.of(seed, "weights of " + phase(reads)));
                    Decoder fresh = Decoder.random(shape, 1 / Math.sqrt(width), rng, device)) {
                pretrain(fresh, reads);
                save(fresh, folder);
            }
        }
        return Models.load(folder, device);
    }

    private void pretrain(Decoder model, Reads reads) {
        int batch = config.pretraining().batchSize();
        double[][] source = source(config.letters(), new SplittableRandom(Streams.of(seed, "source")));
        long stream = Streams.of(seed, "texts of " + phase(reads));
        try (Training training = new Training(run, phase(reads), config.pretraining(), model.parameters())) {
            training.run(step -> Step.of(List.of(() -> {
                        Tensor tokens = texts(source, batch, new SplittableRandom(Streams.of(stream, "step", step)));
                        return gradient(model, reads, tokens.to(device), batch);
                    }))
                    .tokens((long) batch * config.length()));
        }
    }

    private StepMetrics gradient(Decoder model, Reads reads, Tensor tokens, int batch) {
        Tensor logProbs = logProbs(model, reads, tokens);
        Tensor loss = Dpg.dpg(logProbs, logProbs.onesLike(), batch).value();
        loss.backward();
        return new StepMetrics().add("loss", loss.item());
    }

    private static String phase(Reads reads) {
        return reads == Reads.TEXT ? PHASE : PHASE + "-of-places";
    }

    /// Rows of a Markov chain over letters, the last one for its beginning: exponentials of normal numbers, normalised.
    public static double[][] source(int letters, SplittableRandom random) {
        double[][] rows = new double[letters + 1][letters];
        for (double[] row : rows) {
            Arrays.setAll(row, _ -> Math.exp(random.nextGaussian()));
            double total = Arrays.stream(row).sum();
            Arrays.setAll(row, i -> row[i] / total);
        }
        return rows;
    }

    private Tensor texts(double[][] source, int count, SplittableRandom random) {
        int[] tokens = new int[count * config.length()];
        for (int i = 0; i < tokens.length; i++) {
            double[] row = source[i % config.length() == 0 ? config.letters() : tokens[i - 1]];
            double left = random.nextDouble();
            int letter = 0;
            while (letter < row.length - 1 && (left -= row[letter]) >= 0) {
                letter++;
            }
            tokens[i] = letter;
        }
        return Tensor.of(tokens, count, config.length()).to(DType.INT64);
    }

    /// `log π` of texts `[B, L]`, each the sum over its letters: nats, float64, `[B]`; gradient flows.
    public Tensor logProbs(Decoder model, Reads reads, Tensor tokens) {
        long rows = tokens.size(0);
        Tensor before = Tensor.cat(List.of(begin(rows), tokens.narrow(1, 0, config.length() - 1)), 1);
        Tensor letters = letters(model, reads, before);
        return letters.gather(2, tokens.unsqueeze(2)).squeeze(2).sum(1);
    }

    private Tensor begin(long rows) {
        return Creation.full(config.letters(), DType.INT64, device, rows, 1);
    }

    /// Log-probabilities of the letter after each token: float64, [B, T, letters].
    private Tensor letters(Decoder model, Reads reads, Tensor tokens) {
        return letters(model, model.hidden(seen(reads, tokens)), tokens.size(0));
    }

    private Tensor seen(Reads reads, Tensor tokens) {
        return reads == Reads.TEXT
                ? tokens
                : Shapes.contiguous(begin(tokens.size(0)).expand(tokens.shape()));
    }

    private Tensor letters(Decoder model, Tensor hidden, long rows) {
        return model.logits(hidden)
                .narrow(1, 0, config.letters())
                .to(DType.FLOAT64)
                .logSoftmax(1)
                .view(rows, hidden.size(0) / rows, config.letters());
    }

    /// Texts drawn exactly, letter by letter from the whole distribution; nothing is recorded for a gradient.
    public Samples sample(Decoder model, Reads reads, int count, Rng rng) {
        try (var _ = Gradients.off();
                Scope scope = new Scope();
                KvCache cache = model.cache(count, config.length(), null)) {
            List<Tensor> drawn = new ArrayList<>();
            Tensor logProbs = Creation.zeros(DType.FLOAT64, device, count);
            Tensor before = begin(count);
            for (int t = 0; t < config.length(); t++) {
                Tensor next = letters(model, model.hidden(seen(reads, before), cache), count)
                        .squeeze(1);
                before = rng.categorical(next.exp().to(Device.CPU)).to(device).unsqueeze(1);
                logProbs = logProbs.plus(next.gather(1, before).squeeze(1));
                drawn.add(before);
            }
            Tensor tokens = Tensor.cat(drawn, 1);
            return new Samples(scope.keep(tokens), numbers(tokens), scope.keep(logProbs.to(Device.CPU)));
        }
    }

    private int[] numbers(Tensor tokens) {
        long[] letters = tokens.toLongs();
        int length = config.length();
        return IntStream.range(0, letters.length / length)
                .map(row -> {
                    int number = 0;
                    for (int t = 0; t < length; t++) {
                        number = number * config.letters() + (int) letters[row * length + t];
                    }
                    return number;
                })
                .toArray();
    }

    /// `log π` of all texts, by their numbers: nats. A forward pass for each prefix that lacks one letter.
    public double[] logProbs(Decoder model, Reads reads) {
        int prefixes = config.texts() / config.letters();
        double[] all = new double[config.texts()];
        for (int from = 0; from < prefixes; from += CHUNK) {
            int rows = Math.min(CHUNK, prefixes - from);
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                Tensor prefix = prefixes(from, rows).to(device);
                Tensor letters = letters(model, reads, Tensor.cat(List.of(begin(rows), prefix), 1));
                Tensor chosen = letters.narrow(1, 0, config.length() - 1).gather(2, prefix.unsqueeze(2));
                Tensor last = letters.select(1, config.length() - 1);
                double[] part = last.plus(chosen.squeeze(2).sum(1, true)).toDoubles();
                System.arraycopy(part, 0, all, from * config.letters(), part.length);
            }
        }
        return all;
    }

    private Tensor prefixes(int from, int rows) {
        int length = config.length() - 1;
        int[] tokens = new int[rows * length];
        for (int row = 0; row < rows; row++) {
            for (int t = length - 1, rest = from + row; t >= 0; t--, rest /= config.letters()) {
                tokens[row * length + t] = rest % config.letters();
            }
        }
        return Tensor.of(tokens, rows, length).to(DType.INT64);
    }

    public static void save(Decoder model, Path folder) {
        ModelFolder.save(folder, model.config(), model.parameters().named(), GenerationConfig.NONE);
    }

    public Config config() {
        return config;
    }

    public Device device() {
        return device;
    }

    /// The frozen decoder that reads texts.
    public Decoder prior() {
        return prior;
    }

    /// Of all texts, nats.
    public double[] logPrior() {
        return logPrior;
    }

    /// A number for each text.
    public static double[] table(Config config, ToDoubleFunction<String> score) {
        return IntStream.range(0, config.texts())
                .mapToObj(config::text)
                .mapToDouble(score)
                .toArray();
    }

    @Override
    public void close() {
        prior.close();
    }
}
