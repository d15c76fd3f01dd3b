package dev.kedge.recipe.policy;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Kind;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.file.WeightsFolder;
import dev.kedge.run.ModelCache;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.hipparchus.stat.StatUtils;

/// An environment whose reward is learned from a few preferences, as in RLHF: a proxy. Its verifier, the truth,
/// labels pairs of the start's answers, a [RewardModel] learns from them, and policies learn from what that
/// says. The truth is noted beside it, and no method sees it.
///
/// Both answers of a pair come from the start, to one training question, at temperature 1; pairs that the truth
/// finds equal are left out. The model is made once and kept beside the runs, in a folder that its configuration names.
///
/// @param base     where questions, start and truth come from
/// @param pairs    preferences to learn from, >= 2
/// @param learning how; a batch is of pairs
@Kind("learned_reward")
public record LearnedReward(Environment base, int pairs, TrainingConfig learning) implements Environment {
    private static final int MOST_PAIRS = 50;
    private static final int USUAL = 512;

    public LearnedReward {
        if (pairs < 2) {
            throw new IllegalArgumentException("pairs must be >= 2, was " + pairs);
        }
        if (base instanceof LearnedReward) {
            throw new IllegalArgumentException("the base of a learned_reward must have a verifier, was another one");
        }
    }

    @Override
    public Opened open(Run run, Device device, long seed) {
        Opened truth = base.open(run, device, seed);
        try {
            RewardModel model = model(truth, run, device, seed);
            return new Opened(
                    truth.model(),
                    truth.training(),
                    truth.heldOut(),
                    model.scorer(truth.scorer(), truth.tokenizer()),
                    truth.maxTokens());
        } catch (RuntimeException e) {
            truth.close();
            throw e;
        }
    }

    /// Learned here, or read where it has been before.
    private RewardModel model(Opened truth, Run run, Device device, long seed) {
        int padId = Models.padId(truth.tokenizer());
        int eos = truth.tokenizer()
                .eos()
                .orElseThrow(() -> new ConfigException("a learned_reward reads answers at the token that ends them, but"
                        + " this tokenizer has none"));
        long stream = Streams.of(seed, "learned reward"); // all that is drawn for it comes from this
        Path folder = ModelCache.folder(run, this, stream + " " + device);
        ScalarHead head = ScalarHead.on(truth.start());
        try {
            if (!Files.exists(folder.resolve("model.safetensors"))) {
                SplittableRandom random = new SplittableRandom(Streams.of(stream, "preferences"));
                List<TokenizedPair> learnt = preferences(truth, eos, random);
                RewardModel.train(run, head, learnt, padId, learning, Streams.of(stream, "order"));
                double[] usual =
                        RewardModel.scored(head, answers(truth, eos, Streams.of(stream, "usual answers")), padId);
                double mean = StatUtils.mean(usual);
                double deviation = Math.sqrt(StatUtils.populationVariance(usual, mean));
                if (!(deviation > 0 && deviation < Double.POSITIVE_INFINITY)) {
                    throw new ConfigException("the learned reward of the start's answers has mean " + mean
                            + " and deviation " + deviation + ", so there is nothing to learn from it; another"
                            + " learning_rate or more steps in environment.learning would be right");
                }
                SequencedMap<String, Tensor> tensors =
                        new LinkedHashMap<>(head.decoder().parameters().named());
                Map<String, String> scale =
                        Map.of("mean", Double.toString(mean), "deviation", Double.toString(deviation));
                WeightsFolder.write(folder, tensors, scale, Long.MAX_VALUE);
            }
            try (var _ = Gradients.off();
                    WeightsFolder kept = WeightsFolder.open(folder);
                    Scope _ = new Scope()) {
                head.decoder().parameters().named().forEach((name, tensor) -> InPlace.copy_(tensor, kept.read(name)));
                return new RewardModel(
                        head,
                        padId,
                        eos,
                        Double.parseDouble(kept.metadata().get("mean")),
                        Double.parseDouble(kept.metadata().get("deviation")));
            }
        } catch (RuntimeException e) {
            head.close();
            throw e;
        }
    }

    /// Pairs of answers to training questions that the truth tells apart.
    private List<TokenizedPair> preferences(Opened truth, int eos, SplittableRandom random) {
        List<TokenizedPair> found = new ArrayList<>();
        Optional<String> failure = Optional.empty();
        int written = 0;
        while (found.size() < pairs && written < MOST_PAIRS * pairs) {
            List<Question> asked = IntStream.range(0, pairs)
                    .mapToObj(_ ->
                            truth.training().get(random.nextInt(truth.training().size())))
                    .toList();
            Rollouts rollouts = sampler(truth).sample(truth.start(), asked, random.nextLong());
            written += pairs;
            failure = failure.or(rollouts::failure);
            for (int q = 0; q < asked.size() && found.size() < pairs; q++) {
                double first = rollouts.scores().get(2 * q).reward();
                double second = rollouts.scores().get(2 * q + 1).reward();
                if (first != second && Double.isFinite(first) && Double.isFinite(second)) {
                    int better = first > second ? 2 * q : 2 * q + 1;
                    int worse = 4 * q + 1 - better;
                    found.add(new TokenizedPair(
                            read(truth, rollouts, better, eos),
                            read(truth, rollouts, worse, eos),
                            asked.get(q).prompt().length));
                }
            }
        }
        if (found.size() < pairs) {
            throw new ConfigException("environment.pairs is " + pairs + ", but of " + written
                    + " pairs of the start's answers"
                    + " only " + found.size() + " differ in true reward; fewer pairs, or a start that is sometimes"
                    + " right and sometimes wrong, would be right"
                    + failure.map(why -> ". At first " + why).orElse(""));
        }
        return found;
    }

    /// Answers of the start without labels.
    private static List<Tokenized> answers(Opened truth, int eos, long seed) {
        List<Question> asked = IntStream.range(0, USUAL / 2)
                .mapToObj(i -> truth.training().get(i % truth.training().size()))
                .toList();
        Rollouts rollouts = sampler(truth).sample(truth.start(), asked, seed);
        return IntStream.range(0, rollouts.completions().size())
                .mapToObj(i -> read(truth, rollouts, i, eos))
                .toList();
    }

    private static Sampler sampler(Opened truth) {
        return new Sampler(truth.tokenizer(), truth.scorer(), 2, truth.maxTokens(), 1, Truncated.JUDGED);
    }

    private static Tokenized read(Opened truth, Rollouts rollouts, int i, int eos) {
        String text = rollouts.text(i, truth.tokenizer());
        int positions = truth.start().config().maxPositions();
        return RewardModel.read(
                rollouts.questions().get(i / rollouts.group()), text, truth.tokenizer(), eos, positions);
    }
}
