package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.Pretraining;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Streams;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A generated task in which an answer's worth shows at its end only: small letters walk on a ring, one or two places
/// at a time, and a capital between them promises that its small letter will follow. The grammar does not care whether
/// it does; the reward does. What a beginning of an answer is worth depends on what will be made of it, so that a
/// reward of whole answers says little of beginnings.
public final class DelayedRewardTask implements AutoCloseable {
    /// Symbols of a prompt: the first ones of a text.
    public static final int PROMPT = 4;

    /// What every letter `a` adds to the reward.
    public static final double COUNT = 0.25;

    private static final int[] PACES = {-2, -1, 1, 2};

    /// @param letters     places of the ring, from 5 to 26
    /// @param share       of the symbols that are promises, in (0, 1)
    /// @param shortest    answer, symbols, >= 1
    /// @param longest     answer, symbols; every length between is as frequent
    /// @param hiddenSize  of the base decoder
    /// @param layers      of the decoders
    /// @param heads       of the decoders
    /// @param examples    texts that they are pre-trained on
    /// @param pretraining how
    /// @param heldOut     prompts kept for evaluation, >= 2
    public record Config(
            int letters,
            double share,
            int shortest,
            int longest,
            int hiddenSize,
            int layers,
            int heads,
            int examples,
            TrainingConfig pretraining,
            int heldOut) {
        public Config {
            if (letters < 5 || letters > 26 || !(share > 0 && share < 1)) {
                throw new IllegalArgumentException(
                        "letters from 5 to 26 and share in (0, 1) expected, were " + letters + " and " + share);
            }
            if (shortest < 1 || longest < shortest) {
                throw new IllegalArgumentException(
                        "1 <= shortest <= longest expected, were " + shortest + " and " + longest);
            }
            if (examples < 1 || heldOut < 2) {
                throw new IllegalArgumentException(
                        "examples >= 1 and held_out >= 2 expected, were " + examples + " and " + heldOut);
            }
        }
    }

    private final Config config;
    private final Tokenizer tokenizer;
    private final Device device;
    private final long seed;
    private final Run run;
    private final List<int[]> heldOut;
    private final Decoder base;

    /// The task of a run: its base is pre-trained here, or read where the run has made it already.
    public DelayedRewardTask(Config config, Run run, Device device, long seed) {
        this.config = config;
        this.device = device;
        this.seed = seed;
        this.run = run;
        String small = IntStream.range(0, config.letters())
                .collect(StringBuilder::new, (s, i) -> s.append((char) ('a' + i)), StringBuilder::append)
                .toString();
        tokenizer = CharTokenizer.of(small + small.toUpperCase(Locale.ROOT));
        heldOut = prompts(config.heldOut(), new SplittableRandom(Streams.of(seed, "held-out prompts")));
        base = pretrained("base", config.hiddenSize());
    }

    /// A decoder of this width that knows the grammar, in the run's folder `name`: made where it is not there yet.
    public Decoder pretrained(String name, int hiddenSize) {
        DecoderConfig shape = DecoderConfig.small(
                tokenizer.vocabularySize(),
                hiddenSize,
                config.layers(),
                config.heads(),
                1 + PROMPT + config.longest() + 2); // beginning, end, and a mark behind it
        return new Pretraining(run, tokenizer, device, config.pretraining(), seed)
                .decoder(
                        "pretraining-" + name,
                        run.folder().resolve(name),
                        rng -> Decoder.random(shape, 1 / Math.sqrt(hiddenSize), rng, device),
                        this::corpus);
    }

    private List<Tokenized> corpus() {
        RandomGenerator random = new SplittableRandom(Streams.of(seed, "corpus"));
        List<Tokenized> corpus = new ArrayList<>();
        for (int i = 0; i < config.examples(); i++) {
            int length = random.nextInt(config.shortest(), config.longest() + 1);
            String text = text(config, PROMPT + length, random);
            corpus.add(Tokenized.ofReply(
                    tokenizer.encode(text.substring(0, PROMPT)), tokenizer.encodeAnswer(text.substring(PROMPT))));
        }
        return corpus;
    }

    /// A text of the grammar.
    public static String text(Config config, int symbols, RandomGenerator random) {
        StringBuilder text = new StringBuilder();
        int place = random.nextInt(config.letters());
        for (int i = 0; i < symbols; i++) {
            if (random.nextDouble() < config.share()) {
                text.append((char) ('A' + random.nextInt(config.letters())));
            } else {
                place = Math.floorMod(place + PACES[random.nextInt(PACES.length)], config.letters());
                text.append((char) ('a' + place));
            }
        }
        return text.toString();
    }

    /// What a whole text is worth: 1 for each promise that is kept later, -1 for each that is not, and [#COUNT] for
    /// each `a`.
    public static double reward(String text) {
        double reward = 0;
        for (int i = 0; i < text.length(); i++) {
            char symbol = text.charAt(i);
            if (Character.isUpperCase(symbol)) {
                reward += text.indexOf(Character.toLowerCase(symbol), i) >= 0 ? 1 : -1;
            } else if (symbol == 'a') {
                reward += COUNT;
            }
        }
        return reward;
    }

    /// The promises that are made in a text, kept or not.
    public static double made(String text) {
        return text.chars().filter(Character::isUpperCase).count();
    }

    /// The promises that are kept in a text, less those that are not.
    public static double kept(String text) {
        return reward(text)
                - COUNT * text.chars().filter(symbol -> symbol == 'a').count();
    }

    /// A prompt with an answer.
    public String whole(int[] prompt, int[] answer) {
        return tokenizer.decode(prompt) + tokenizer.decode(answer);
    }

    /// Pairs of the base's answers to one prompt each, labelled by Bradley-Terry: of two whole answers the first is
    /// preferred with probability `σ(r_1 - r_2)`.
    public List<TokenizedPair> pairs(int count, ToDoubleFunction<String> reward) {
        return pairs(count, List.of(reward)).getFirst();
    }

    /// The same pairs labelled once for each of several rewards.
    public List<List<TokenizedPair>> pairs(int count, List<ToDoubleFunction<String>> rewards) {
        List<int[]> prompts = unseenPrompts(count, new SplittableRandom(Streams.of(seed, "prompts of pairs")));
        long answers = Streams.of(seed, "answers of pairs");
        List<Completion> drawn = Generator.generate(base, prompts, sampling(2, answers), null);
        double[] chance = new SplittableRandom(Streams.of(seed, "labels of pairs"))
                .doubles(count)
                .toArray();
        return rewards.stream()
                .map(reward -> labelled(prompts, drawn, reward, chance))
                .toList();
    }

    /// @param chance whose label it is whenever rewards leave it open, in [0, 1): one number a pair
    private List<TokenizedPair> labelled(
            List<int[]> prompts, List<Completion> drawn, ToDoubleFunction<String> reward, double[] chance) {
        List<TokenizedPair> pairs = new ArrayList<>();
        int right = 0;
        for (int i = 0; i < chance.length; i++) {
            int[] prompt = prompts.get(i);
            int[] first = drawn.get(2 * i).tokens();
            int[] second = drawn.get(2 * i + 1).tokens();
            double margin = reward.applyAsDouble(whole(prompt, first)) - reward.applyAsDouble(whole(prompt, second));
            boolean firstIsChosen = chance[i] < 1 / (1 + Math.exp(-margin));
            right += margin != 0 && firstIsChosen == (margin > 0) ? 1 : 0;
            pairs.add(new TokenizedPair(
                    Tokenized.ofReply(prompt, firstIsChosen ? first : second),
                    Tokenized.ofReply(prompt, firstIsChosen ? second : first),
                    prompt.length));
        }
        run.note(chance.length + " preferences, of which " + right + " are for the answer of more reward");
        return pairs;
    }

    /// A copy of `start` that has learnt from pairs, by the name `name`: trained here, or read where the run has made
    /// it already.
    public Decoder learnt(
            String name, Decoder start, ScoredPairs pairs, PreferenceLoss objective, TrainingConfig training) {
        Path folder = run.folder().resolve("policies").resolve(name);
        if (!Models.isComplete(folder)) {
            try (Decoder model = start.copy()) {
                long order = Streams.of(seed, "order of pairs"); // the same whatever is learnt, as in paired arms
                PreferenceTraining.train(run, name.replace('.', '_'), model, pairs, objective, training, order);
                Models.save(model, tokenizer, folder);
            }
        }
        return Models.load(folder, device);
    }

    /// Beginnings of texts.
    public List<int[]> prompts(int count, RandomGenerator random) {
        return beginnings(random).limit(count).toList();
    }

    /// Beginnings of texts of which none is held out.
    private List<int[]> unseenPrompts(int count, RandomGenerator random) {
        Set<IntBuffer> held = heldOut.stream().map(IntBuffer::wrap).collect(Collectors.toSet());
        List<int[]> unseen = beginnings(random)
                .limit(1000L * count) // nearly all that can be drawn may be held out
                .filter(prompt -> !held.contains(IntBuffer.wrap(prompt)))
                .limit(count)
                .toList();
        if (unseen.size() < count) {
            throw new IllegalArgumentException("with held_out " + heldOut.size() + " too few prompts of " + PROMPT
                    + " symbols are left for " + count + " pairs; fewer held out or more letters would be right");
        }
        return unseen;
    }

    private Stream<int[]> beginnings(RandomGenerator random) {
        return Stream.generate(() -> tokenizer.encode(text(config, PROMPT, random)));
    }

    /// How to draw answers: whole distribution, temperature 1.
    public Generator.Options sampling(int samples, long seed) {
        return new Generator.Options(Sampling.at(1), maxTokens(), samples, tokenizer.stopIds(), null, seed, true);
    }

    /// The longest answer with its end.
    public int maxTokens() {
        return config.longest() + 1;
    }

    public int end() {
        return tokenizer.eos().orElseThrow();
    }

    /// A token that begins texts and is nowhere else in them.
    public int mark() {
        return tokenizer.bos().orElseThrow();
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// The frozen decoder that is guided.
    public Decoder base() {
        return base;
    }

    /// Prompts that nothing learns from.
    public List<int[]> heldOut() {
        return heldOut;
    }

    @Override
    public void close() {
        base.close();
        tokenizer.close();
    }
}
