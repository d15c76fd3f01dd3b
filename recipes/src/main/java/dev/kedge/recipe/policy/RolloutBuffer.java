package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.RlvrRecipe.Config;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// The rollouts of a training, step by step. They serve `steps_per_rollout` steps; as long as they are used they
/// are kept in the run's folder, so that a killed run goes on with the same.
final class RolloutBuffer {
    private final Config config;
    private final Environment.Opened environment;
    private final int resamplings;
    private final String phase;
    private final Decoder policy;
    private final Run run;
    private final Sampler sampler;
    private final RolloutFiles files;
    private Rollouts rollouts;
    private int made = -1; // the number of the rollouts
    private boolean hasFailed;
    private long asked; // groups since the training began, and how many of them were judged whole
    private long judged;
    private String failure = "";

    /// @param resamplings see [PolicyMethod#resamplings]
    /// @param policy      who writes
    RolloutBuffer(
            Config config, Environment.Opened environment, int resamplings, String phase, Decoder policy, Run run) {
        this.config = config;
        this.environment = environment;
        this.resamplings = resamplings;
        this.phase = phase;
        this.policy = policy;
        this.run = run;
        sampler = config.sampler(environment);
        files = new RolloutFiles(run.folder().resolve("rollouts").resolve(phase));
    }

    /// Whether a step is the first one on its rollouts: on policy.
    boolean isFresh(int step) {
        return step % config.stepsPerRollout() == 0;
    }

    /// All rollouts that a step's batch is taken from: a function of the policy, the seed and the step.
    Rollouts rollouts(int step) {
        int number = step / config.stepsPerRollout();
        if (isFresh(step) && made != number) {
            made = number;
            rollouts = sample(number);
            count(rollouts);
            show(number, step);
            if (config.stepsPerRollout() > 1) {
                files.write(number, rollouts, environment.training());
            }
        } else if (rollouts == null) {
            rollouts = files.read(number, sampler, environment.training());
        }
        return rollouts;
    }

    private void count(Rollouts fresh) {
        asked += fresh.questions().size();
        judged += fresh.rewarded().questions().size();
        if (failure.isEmpty()) {
            failure = fresh.scores().stream()
                    .filter(score -> !score.hasReward())
                    .map(Score::failure)
                    .findFirst()
                    .orElse("");
        }
    }

    /// What a checkpoint holds of it.
    Remembered judgement() {
        return Remembered.text("judgement", () -> asked + " " + judged + " " + failure, text -> {
            String[] parts = text.split(" ", 3);
            asked = Long.parseLong(parts[0]);
            judged = Long.parseLong(parts[1]);
            failure = parts[2];
        });
    }

    /// @throws RunFailedException if no group was ever judged
    void requireJudged() {
        if (judged == 0) {
            String message = "of " + asked + " groups of answers in " + phase + " none was judged, so that nothing was"
                    + " learnt (first: " + failure + "); a verifier that answers, and a new run, would be right";
            run.fail(message);
            throw new RunFailedException(message);
        }
    }

    /// What a step learns from, of the groups whose completions all have a reward: each pass goes through the questions
    /// in an order of its own.
    Rollouts batch(int step) {
        Rollouts rewarded = rollouts(step).rewarded();
        if (config.stepsPerRollout() == 1) {
            return rewarded;
        }
        int stepsPerPass = config.stepsPerRollout() / config.passes();
        int[] order = IntStream.range(0, rewarded.questions().size()).toArray();
        var random = new SplittableRandom(Streams.of(config.seed(), "order of a pass", step / stepsPerPass));
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        int size = config.training().batchSize();
        int from = Math.min(order.length, step % stepsPerPass * size);
        return rewarded.at(Arrays.copyOfRange(order, from, Math.min(order.length, from + size)));
    }

    /// Removes what nothing goes back to, once a checkpoint holds what followed it.
    void forget(int done) {
        if (run.latest()
                .filter(c -> c.phase().equals(phase) && c.step() == done)
                .isPresent()) {
            files.forget(done / config.stepsPerRollout());
        }
    }

    /// Where a method asks for it, groups that teach nothing are replaced by others as long as its patience lasts.
    private Rollouts sample(int number) {
        SplittableRandom random = new SplittableRandom(Streams.of(config.seed(), "rollouts", number));
        int wanted = config.training().batchSize() * config.stepsPerRollout() / config.passes();
        Rollouts first = sample(wanted, random);
        if (resamplings == 0) {
            return first;
        }
        Rollouts useful = first.rewarded().informative();
        Rollouts unrewarded = first.unrewarded();
        Rollouts last = first;
        for (int round = 0; round < resamplings && useful.questions().size() < wanted; round++) {
            last = sample(wanted, random);
            useful = useful.plus(last.rewarded().informative()).after(last);
            unrewarded = unrewarded.plus(last.unrewarded());
        }
        // Out of patience it is filled up with the last. Nothing is learnt where rewards lack, but it is counted.
        return useful.plus(last.rewarded().uninformative()).first(wanted).plus(unrewarded);
    }

    private Rollouts sample(int count, SplittableRandom random) {
        return sampler.sample(policy, asked(environment.training(), count, random), random.nextLong());
    }

    /// Questions taken at random without replacement, anew once all have been asked.
    private static List<Question> asked(List<Question> all, int count, SplittableRandom random) {
        List<Question> asked = new ArrayList<>();
        List<Question> left = new ArrayList<>();
        while (asked.size() < count) {
            if (left.isEmpty()) {
                left.addAll(all);
            }
            asked.add(left.remove(random.nextInt(left.size())));
        }
        return asked;
    }

    /// Notes now and then a completion to the first question, and why completions have no reward; the first time, too.
    private void show(int number, int step) {
        boolean isDue = number % config.showEvery() == 0;
        if (isDue && !rollouts.questions().isEmpty()) {
            Score score = rollouts.scores().getFirst();
            run.note(String.format(
                    Locale.ROOT,
                    "step %d: %s -> %s (%s)",
                    step,
                    oneLine(rollouts.questions().getFirst().text()),
                    oneLine(rollouts.text(0, environment.tokenizer())),
                    score.hasReward() ? "reward " + score.reward() : score.failure()));
        }
        if (rollouts.failure().isPresent() && (isDue || !hasFailed)) {
            hasFailed = true;
            run.note("step " + step + ": " + rollouts.failure().get());
        }
    }

    private static String oneLine(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() > 100 ? line.substring(0, 100) + "..." : line;
    }
}
