package dev.kedge.recipe.occupancy;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.OccupancyAscent;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Policy;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.recipe.occupancy.ProxyWorld.Measured;
import dev.kedge.recipe.occupancy.ProxyWorld.Standing;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Occupancy-regularised policy optimisation (arXiv:2403.03185): a policy that optimises a proxy of the true reward,
/// held to the reference by what it visits.
///
/// In a world small enough for everything to be exact ([ProxyWorld]), policies maximise the proxy less a coefficient
/// times a penalty: of actions, of states, or of occupancies, by KL, χ² or its root. Beside those that are listed
/// there are always two: one without a penalty, whose way is also the baseline of early stopping, and the theory's,
/// the root of χ² of occupancies with `λ = σ·sqrt(1 - r²)`. They learn from exact gradients, or by PPO with a
/// discriminator ([OccupancyPpo]). Whatever they learn from, where they stand is computed exactly.
///
/// The name: the method is known as ORPO too, as is odds-ratio preference optimisation; here it is what the letter O
/// stands for.
///
/// Command: `./kedge run recipes/correlated-proxies.yaml`. Numbers: docs/papers/correlated-proxies.md.
public final class OccupancyRecipe {
    /// The file of the run's folder that holds the policies: log-probabilities, [S, A].
    public static final String POLICIES = "policies.safetensors";

    private OccupancyRecipe() {}

    /// @param world     the process, its rewards and the reference
    /// @param learning  what the gradients come from
    /// @param penalties beside none and the theory's
    /// @param snapshots of the way of those two, >= 1
    /// @param threads   of the engine
    /// @param seed      of everything drawn
    public record Config(
            ProxyWorld world, Learning learning, List<Arm> penalties, int snapshots, int threads, long seed) {
        public Config {
            if (penalties.stream().map(Arm::penalty).distinct().count() < penalties.size()) {
                throw new IllegalArgumentException(
                        "each of the penalties once, with all its coefficients, expected, were " + penalties);
            }
            if (snapshots < 1 || threads < 1) {
                throw new IllegalArgumentException(
                        "snapshots >= 1 and threads >= 1 expected, were " + snapshots + " and " + threads);
            }
        }
    }

    /// A penalty at several strengths.
    ///
    /// @param coefficients in standard deviations of the proxy under the reference, each > 0 and there once
    public record Arm(Penalty penalty, List<Double> coefficients) {
        public Arm {
            if (penalty instanceof Penalty.None) {
                throw new IllegalArgumentException("a policy without a penalty is always there: list the others only");
            }
            if (coefficients.isEmpty()
                    || coefficients.stream().distinct().count() < coefficients.size()
                    || coefficients.stream().anyMatch(c -> !(c > 0 && c < Double.POSITIVE_INFINITY))) {
                throw new IllegalArgumentException(
                        "coefficients must be different finite numbers > 0, at least one, were " + coefficients);
            }
        }
    }

    /// What the gradients come from.
    public sealed interface Learning {
        /// Steps of Adam or iterations, >= 1.
        int steps();
    }

    /// Exact gradients: [OccupancyAscent]; the rate falls to 0 along a line.
    ///
    /// @param steps        of Adam
    /// @param learningRate > 0
    @Kind("exact")
    public record Exact(int steps, double learningRate) implements Learning {
        public Exact {
            if (steps < 1 || !(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "steps >= 1 and a finite learning_rate > 0 expected, were " + steps + " and " + learningRate);
            }
        }
    }

    /// [OccupancyPpo].
    ///
    /// @param steps               iterations
    /// @param batch               steps of the process that the policy takes in each, and as many of the reference
    /// @param minibatch           at most that many
    /// @param epochs              of actor and critic over a batch
    /// @param discriminatorEpochs of the discriminator, before
    /// @param hidden              width of the networks
    /// @param learningRate        of actor and critic, > 0
    /// @param discriminatorRate   of the discriminator, > 0
    /// @param clip                of the ratio, in (0, 1)
    /// @param gaeLambda           in [0, 1]
    /// @param entropy             weight of the entropy in the loss, >= 0
    /// @param trim                share of the scores left out at each end of the estimate of χ², in [0, 1/2)
    /// @param scoreLimit          size of a score at most, nats, > 0
    /// @param penaltyLimit        of a step, before the coefficient, > 0
    /// @param cloning             steps by which the actor first learns the reference; 0: it starts uniform
    @Kind("sampled")
    public record Sampled(
            int steps,
            int batch,
            int minibatch,
            int epochs,
            int discriminatorEpochs,
            int hidden,
            double learningRate,
            double discriminatorRate,
            double clip,
            double gaeLambda,
            double entropy,
            double trim,
            double scoreLimit,
            double penaltyLimit,
            int cloning)
            implements Learning {
        public Sampled {
            if (steps < 1 || batch < 2 || minibatch < 1 || minibatch > batch) {
                throw new IllegalArgumentException("steps >= 1, batch >= 2 and minibatch from 1 to the batch expected,"
                        + " were " + steps + ", " + batch + " and " + minibatch);
            }
            if (epochs < 1 || discriminatorEpochs < 1 || hidden < 1 || cloning < 0) {
                throw new IllegalArgumentException(
                        "epochs, discriminator_epochs and hidden >= 1 and cloning >= 0 expected, were " + epochs + ", "
                                + discriminatorEpochs + ", " + hidden + " and " + cloning);
            }
            Require.positive("learning_rate", learningRate);
            Require.positive("discriminator_rate", discriminatorRate);
            Require.positive("score_limit", scoreLimit);
            Require.positive("penalty_limit", penaltyLimit);
            if (!(clip > 0 && clip < 1) || !(gaeLambda >= 0 && gaeLambda <= 1) || !(entropy >= 0 && entropy < 1e9)) {
                throw new IllegalArgumentException(
                        "clip in (0, 1), gae_lambda in [0, 1] and a finite entropy >= 0 expected, were " + clip + ", "
                                + gaeLambda + " and " + entropy);
            }
            if (!(trim >= 0 && trim < 0.5)) {
                throw new IllegalArgumentException("trim must be in [0, 0.5), was " + trim);
            }
            if (scoreLimit > 300) {
                throw new IllegalArgumentException(
                        "score_limit must be at most 300, as its exponential is taken, was " + scoreLimit);
            }
        }
    }

    /// A policy to be trained.
    ///
    /// @param coefficient in standard deviations of the proxy
    /// @param snapshots   of its way, its end included
    record Task(String phase, Penalty penalty, double coefficient, int snapshots) {}

    /// The same when it has been.
    ///
    /// @param way from the start on, the end last
    record Trained(Task task, List<Step> way) {
        Standing end() {
            return way.getLast().standing;
        }
    }

    /// @param done     how many steps
    /// @param logProbs of the policy: [S][A]
    record Step(int done, double[][] logProbs, Standing standing) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Measured world = Measured.of(config.world());
        List<Task> tasks = tasks(config, world);
        List<Trained> trained = new ArrayList<>();
        Optional<SavedCheckpoint> saved = run.latest();
        if (saved.isPresent()) {
            try (Scope _ = new Scope()) {
                Map<String, Tensor> policies = saved.get().tensors("policies");
                tasks.stream()
                        .limit(saved.get().count("trained"))
                        .forEach(task -> trained.add(read(config, world, task, policies)));
            }
        }
        try (Progress progress = run.progress("policies", trained.size(), tasks.size())) {
            for (Task task : tasks.subList(trained.size(), tasks.size())) {
                trained.add(train(config, world, task, run));
                Standing end = trained.getLast().end();
                try (Scope _ = new Scope()) {
                    run.save(Checkpoint.at(task.phase(), config.learning().steps())
                            .tensors("policies", tensors(trained))
                            .count("trained", trained.size()));
                }
                String said =
                        String.format(Locale.ROOT, "%s: true %.4f, proxy %.4f", task.phase(), end.truth(), end.proxy());
                progress.step(trained.size(), said);
                run.note(said);
            }
        }
        write(run.folder().resolve(POLICIES), trained);
        run.summarise(OccupancySummary.of(config, world, trained, run));
    }

    private static List<Task> tasks(Config config, Measured world) {
        List<Task> tasks = new ArrayList<>();
        tasks.add(new Task("none", new Penalty.None(), 0, config.snapshots()));
        if (world.correlation() > 0) {
            tasks.add(new Task("theory", OccupancySummary.THEORY, world.theory(), config.snapshots()));
        }
        for (Arm arm : config.penalties()) {
            for (double coefficient : arm.coefficients()) {
                String phase = OccupancySummary.phase(arm.penalty()) + "-" + coefficient;
                tasks.add(new Task(phase.replace('.', '_'), arm.penalty(), coefficient, 1));
            }
        }
        return tasks;
    }

    /// All policies of a task start alike, and what is drawn for them comes from the same seed.
    private static Trained train(Config config, Measured world, Task task, Run run) {
        double coefficient = task.coefficient() * world.sigmaProxy();
        List<Step> way = new ArrayList<>();
        int steps = config.learning().steps();
        switch (config.learning()) {
            case Exact exact -> {
                var ascent =
                        new OccupancyAscent(world.proxyMdp(), world.reference(), task.penalty(), coefficient, 1e-5);
                keep(way, 0, ascent.policy().logProbs(), world);
                for (int step = 0; step < steps; step++) {
                    ascent.step(exact.learningRate() * (1 - (double) step / steps));
                    if (isKept(task, step + 1, steps)) {
                        keep(way, step + 1, ascent.policy().logProbs(), world);
                        log(task, way.getLast(), run);
                    }
                }
            }
            case Sampled sampled -> {
                try (var ppo =
                        new OccupancyPpo(sampled, config.world(), world, task.penalty(), coefficient, config.seed())) {
                    ppo.learnReference(sampled.cloning());
                    keep(way, 0, ppo.policy().logProbs(), world);
                    for (int step = 0; step < steps; step++) {
                        Map<String, Double> metrics = ppo.iterate();
                        run.guard(task.phase(), step + 1L, metrics);
                        if (isKept(task, step + 1, steps)) {
                            keep(way, step + 1, ppo.policy().logProbs(), world);
                        }
                        run.log(task.phase(), step + 1L, metrics);
                    }
                }
            }
        }
        return new Trained(task, way);
    }

    /// As many as there are to be snapshots, at distances as even as whole steps allow.
    private static boolean isKept(Task task, int done, int steps) {
        return done * (long) task.snapshots() / steps > (done - 1) * (long) task.snapshots() / steps;
    }

    /// From what a checkpoint holds: a policy that is read from one stands at the very same place.
    private static void keep(List<Step> way, int done, double[][] logProbs, Measured world) {
        way.add(new Step(done, logProbs, world.standing(new Policy(logProbs))));
    }

    /// The ways that are drawn; of the others the end is all there is to tell.
    private static void log(Task task, Step step, Run run) {
        if (task.snapshots() > 1) {
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("true_return", step.standing().truth());
            metrics.put("proxy_return", step.standing().proxy());
            metrics.put("chi_squared", step.standing().chiSquared());
            metrics.put("occupancy_kl", step.standing().kl());
            metrics.put("action_kl", step.standing().actionKl());
            metrics.put("gain", step.standing().gain());
            metrics.put("bound", step.standing().bound());
            run.log(task.phase(), step.done(), metrics);
        }
    }

    private static Map<String, Tensor> tensors(List<Trained> trained) {
        Map<String, Tensor> policies = new LinkedHashMap<>();
        for (Trained one : trained) {
            for (Step step : one.way()) {
                policies.put(name(one.task(), step.done()), Tensor.of(step.logProbs()));
            }
        }
        return policies;
    }

    private static String name(Task task, int done) {
        return task.phase() + "-step-" + done;
    }

    private static Trained read(Config config, Measured world, Task task, Map<String, Tensor> policies) {
        List<Step> way = new ArrayList<>();
        for (int done = 0; done <= config.learning().steps(); done++) {
            Tensor logProbs = policies.get(name(task, done));
            if (logProbs != null) {
                keep(way, done, logProbs.toRows(), world);
            }
        }
        return new Trained(task, way);
    }

    private static void write(Path file, List<Trained> trained) {
        if (Files.exists(file)) {
            return;
        }
        try (Scope _ = new Scope()) {
            Map<String, Tensor> ends = new LinkedHashMap<>();
            trained.forEach(one ->
                    ends.put(one.task().phase(), Tensor.of(one.way().getLast().logProbs())));
            Safetensors.write(file, ends, Map.of());
        }
    }
}
