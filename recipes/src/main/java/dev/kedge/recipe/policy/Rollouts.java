package dev.kedge.recipe.policy;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.function.Predicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// Completions that a policy wrote, G to each of P questions, with their log-probs, entropies and scores. Completion
/// `q·G + g` is the g-th to question q.
///
/// @param sampler        how they were made
/// @param rolloutSeconds that generating them took, and `scoringSeconds` the rewards
public record Rollouts(
        Sampler sampler,
        List<Question> questions,
        List<Completion> completions,
        List<Score> scores,
        double rolloutSeconds,
        double scoringSeconds) {
    public Rollouts {
        if (completions.size() != questions.size() * sampler.group() || scores.size() != completions.size()) {
            throw new IllegalArgumentException(questions.size() + " questions with " + sampler.group()
                    + " completions each expected, were " + completions.size() + " completions and " + scores.size()
                    + " scores");
        }
    }

    /// G.
    public int group() {
        return sampler.group();
    }

    /// The questions whose completions all have a reward: a group that lacks one has no mean to be measured against.
    public Rollouts rewarded() {
        return where(this::isRewarded);
    }

    /// The others.
    public Rollouts unrewarded() {
        return where(q -> !isRewarded(q));
    }

    private boolean isRewarded(int question) {
        return rows(question).allMatch(i -> scores.get(i).hasReward());
    }

    /// The questions whose rewards differ: only there is something to learn (dynamic sampling, arXiv:2503.14476).
    public Rollouts informative() {
        return where(this::isInformative);
    }

    /// The others.
    public Rollouts uninformative() {
        return where(q -> !isInformative(q));
    }

    private boolean isInformative(int question) {
        return rows(question)
                        .mapToDouble(i -> scores.get(i).reward())
                        .distinct()
                        .count()
                > 1;
    }

    /// The first questions, all of them where there are fewer.
    public Rollouts first(int count) {
        return where(q -> q < count);
    }

    /// Questions by their places, in that order.
    public Rollouts at(int... places) {
        List<Question> asked = new ArrayList<>();
        List<Completion> said = new ArrayList<>();
        List<Score> found = new ArrayList<>();
        for (int q : places) {
            asked.add(questions.get(q));
            said.addAll(completions.subList(q * group(), (q + 1) * group()));
            found.addAll(scores.subList(q * group(), (q + 1) * group()));
        }
        return new Rollouts(sampler, asked, said, found, rolloutSeconds, scoringSeconds);
    }

    /// These questions, then those of others; the seconds are this one's.
    public Rollouts plus(Rollouts other) {
        return new Rollouts(
                sampler,
                joined(questions, other.questions),
                joined(completions, other.completions),
                joined(scores, other.scores),
                rolloutSeconds,
                scoringSeconds);
    }

    /// The same, with the seconds of others on top of their own.
    public Rollouts after(Rollouts other) {
        return new Rollouts(
                sampler,
                questions,
                completions,
                scores,
                rolloutSeconds + other.rolloutSeconds,
                scoringSeconds + other.scoringSeconds);
    }

    private static <T> List<T> joined(List<T> a, List<T> b) {
        List<T> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }

    private Rollouts where(IntPredicate isKept) {
        return at(IntStream.range(0, questions.size()).filter(isKept).toArray());
    }

    /// The numbers of a question's completions.
    IntStream rows(int question) {
        return IntStream.range(question * group(), (question + 1) * group());
    }

    /// What a completion says.
    public String text(int completion, Tokenizer tokenizer) {
        return tokenizer.decode(completions.get(completion).tokens());
    }

    /// The mean over each question's completions of a number that they have by their own, those aside whose number is
    /// not finite; NaN where that leaves none, `[P]`.
    double[] means(IntToDoubleFunction number) {
        return IntStream.range(0, questions.size())
                .mapToDouble(q -> rows(q).mapToDouble(number)
                        .filter(Double::isFinite)
                        .average()
                        .orElse(Double.NaN))
                .toArray();
    }

    /// `[P, G]`, float64.
    public Tensor rewards() {
        double[] rewards = scores.stream().mapToDouble(Score::reward).toArray();
        return Tensor.of(rewards, questions.size(), group());
    }

    /// Tokens of each completion, its end token included, `[P, G]` float64.
    public Tensor lengths() {
        double[] lengths =
                completions.stream().mapToDouble(c -> c.tokens().length).toArray();
        return Tensor.of(lengths, questions.size(), group());
    }

    /// How many tokens of a completion are learnt from.
    int learnt(int completion) {
        Completion c = completions.get(completion);
        return sampler.truncated() == Truncated.MASKED && c.isTruncated() ? 0 : c.tokens().length;
    }

    /// T: of the longest completion that is learnt from; at least 1.
    int width() {
        return IntStream.range(0, completions.size()).map(this::learnt).reduce(1, Math::max);
    }

    /// Boolean `[P·G, T]`: where tokens are that are learnt from.
    Tensor mask() {
        int width = width();
        boolean[] mask = new boolean[completions.size() * width];
        for (int i = 0; i < completions.size(); i++) {
            Arrays.fill(mask, i * width, i * width + learnt(i), true);
        }
        return Tensor.mask(mask, completions.size(), width);
    }

    /// `log π` of every token under the policy that wrote them, nats, `[P·G, T]`, 0 where masked.
    Tensor logProbs() {
        return matrix(Completion::logProbs);
    }

    /// The entropies of the distributions that the tokens were drawn from, likewise.
    Tensor entropies() {
        return matrix(Completion::entropies);
    }

    private Tensor matrix(Function<Completion, float[]> row) {
        int width = width();
        float[] values = new float[completions.size() * width];
        for (int i = 0; i < completions.size(); i++) {
            System.arraycopy(row.apply(completions.get(i)), 0, values, i * width, learnt(i));
        }
        return Tensor.of(values, completions.size(), width);
    }

    /// All tokens that are learnt from.
    public long tokens() {
        return IntStream.range(0, completions.size()).mapToLong(this::learnt).sum();
    }

    /// Prompts and completions, the latter being what is learnt.
    List<Tokenized> sequences() {
        return IntStream.range(0, completions.size())
                .mapToObj(i -> {
                    Tokenized whole = Tokenized.ofReply(
                            questions.get(i / group()).prompt(),
                            completions.get(i).tokens());
                    return learnt(i) > 0 ? whole : new Tokenized(whole.tokens(), new boolean[whole.length()]);
                })
                .toList();
    }

    /// How many completions have no reward, and why the first of them has none; empty where all have one. Of proxies
    /// likewise how many have no true reward.
    public Optional<String> failure() {
        return without(Score::hasReward, "reward, their groups not learnt from")
                .or(() -> without(Score::isJudged, "true reward"));
    }

    private Optional<String> without(Predicate<Score> has, String what) {
        List<Score> without = scores.stream().filter(has.negate()).toList();
        return without.isEmpty()
                ? Optional.empty()
                : Optional.of(without.size() + " of " + scores.size() + " completions have no " + what + " (first: "
                        + without.getFirst().failure() + ")");
    }

    /// Whether rewards are proxies of true ones that are known.
    public boolean isProxied() {
        return scores.stream().anyMatch(Score::isProxy);
    }

    /// What was written, in numbers: means over all completions; of rewards and of what is right over those that were
    /// judged. A mean over nothing is left out.
    public Map<String, Double> metrics() {
        Map<String, Double> metrics = new LinkedHashMap<>();
        mean(metrics, "reward", scores.stream().filter(Score::hasReward).mapToDouble(Score::reward));
        if (isProxied()) {
            mean(metrics, "reward/true", scores.stream().filter(Score::isJudged).mapToDouble(s -> s.truth()
                    .orElseThrow()));
        }
        mean(metrics, "right", scores.stream().filter(Score::isJudged).mapToDouble(s -> s.isRight() ? 1 : 0));
        mean(
                metrics,
                "right/length",
                IntStream.range(0, completions.size())
                        .filter(i -> scores.get(i).isRight())
                        .mapToDouble(i -> completions.get(i).tokens().length));
        mean(metrics, "length", completions.stream().mapToDouble(c -> c.tokens().length));
        mean(metrics, "truncated", completions.stream().mapToDouble(c -> c.isTruncated() ? 1 : 0));
        mean(metrics, "unanswered", scores.stream().mapToDouble(s -> s.answer().isPresent() ? 0 : 1));
        mean(metrics, "entropy", completions.stream().flatMapToDouble(c -> IntStream.range(0, c.entropies().length)
                .mapToDouble(t -> c.entropies()[t])));
        mean(
                metrics,
                "groups/equal",
                IntStream.range(0, questions.size())
                        .filter(this::isRewarded)
                        .mapToDouble(q -> isInformative(q) ? 0 : 1));
        metrics.put(
                "unjudged", (double) scores.stream().filter(s -> !s.hasReward()).count());
        return metrics;
    }

    private static void mean(Map<String, Double> metrics, String name, DoubleStream values) {
        values.average().ifPresent(mean -> metrics.put(name, mean));
    }
}
