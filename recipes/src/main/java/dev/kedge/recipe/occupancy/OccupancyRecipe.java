package dev.kedge.recipe.occupancy;

import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.OccupancyAscent;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.recipe.occupancy.OccupancyConfig.Arm;
import dev.kedge.recipe.occupancy.OccupancyConfig.Exact;
import dev.kedge.recipe.occupancy.OccupancyConfig.Sampled;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluation;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.recipe.occupancy.TrainedPolicy.Snapshot;
import dev.kedge.recipe.occupancy.TrainedPolicy.Task;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.tensor.Engine;
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
/// In an environment small enough for everything to be exact ([ProxyEnvironment]), policies maximise the proxy less a
/// coefficient times a penalty: of actions, of states, or of occupancies, by KL, χ² or its root. Beside those that are
/// listed there are always two: one without a penalty, whose snapshots are also the baseline of early stopping, and the
/// theory's, the root of χ² of occupancies with `λ = σ·sqrt(1 - r²)`. They learn from exact gradients, or by PPO with a
/// discriminator ([OccupancyPpo]). Whatever they learn from, their evaluation is exact.
///
/// The name: the method is known as ORPO too, as is odds-ratio preference optimisation; here it is what the letter O
/// stands for.
///
/// Command: `./kedge run recipes/correlated-proxies.yaml`. Numbers: docs/papers/correlated-proxies.md.
public final class OccupancyRecipe {
    /// The file of the run's folder that holds the policies: log-probabilities, `[S, A]`.
    public static final String POLICIES = "policies.safetensors";

    private OccupancyRecipe() {}

    public static void run(OccupancyConfig config, Run run) {
        Engine.useThreads(config.threads());
        Evaluator evaluator = Evaluator.of(config.environment());
        List<Task> tasks = tasks(config, evaluator);
        List<TrainedPolicy> trained = new ArrayList<>();
        Optional<SavedCheckpoint> saved = run.latest();
        if (saved.isPresent()) {
            try (Scope _ = new Scope()) {
                Map<String, Tensor> policies = saved.get().tensors("policies");
                tasks.stream()
                        .limit(saved.get().count("trained"))
                        .forEach(task -> trained.add(read(config, evaluator, task, policies)));
            }
        }
        try (Progress progress = run.progress("policies", trained.size(), tasks.size())) {
            for (Task task : tasks.subList(trained.size(), tasks.size())) {
                trained.add(train(config, evaluator, task, run));
                Evaluation end = trained.getLast().end();
                try (Scope _ = new Scope()) {
                    run.save(Checkpoint.at(task.phase(), config.learning().steps())
                            .logProbs("policies", tensors(trained))
                            .count("trained", trained.size()));
                }
                String said =
                        String.format(Locale.ROOT, "%s: true %.4f, proxy %.4f", task.phase(), end.truth(), end.proxy());
                progress.step(trained.size(), said);
                run.note(said);
            }
        }
        write(run.folder().resolve(POLICIES), trained);
        run.summarise(OccupancySummary.of(config, evaluator, trained, run));
    }

    private static List<Task> tasks(OccupancyConfig config, Evaluator evaluator) {
        List<Task> tasks = new ArrayList<>();
        tasks.add(new Task("none", new Penalty.None(), 0, config.snapshots()));
        if (evaluator.correlation() > 0) {
            tasks.add(new Task("theory", OccupancySummary.THEORY, evaluator.theory(), config.snapshots()));
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
    private static TrainedPolicy train(OccupancyConfig config, Evaluator evaluator, Task task, Run run) {
        double coefficient = task.coefficient() * evaluator.sigmaProxy();
        List<Snapshot> snapshots = new ArrayList<>();
        int steps = config.learning().steps();
        switch (config.learning()) {
            case Exact exact -> {
                var ascent = new OccupancyAscent(
                        evaluator.proxyMdp(), evaluator.reference(), task.penalty(), coefficient, 1e-5);
                keep(snapshots, 0, ascent.policy().logProbs(), evaluator);
                for (int step = 0; step < steps; step++) {
                    ascent.step(exact.learningRate() * (1 - (double) step / steps));
                    if (isKept(task, step + 1, steps)) {
                        keep(snapshots, step + 1, ascent.policy().logProbs(), evaluator);
                        log(task, snapshots.getLast(), run);
                    }
                }
            }
            case Sampled sampled -> {
                try (var ppo = new OccupancyPpo(
                        sampled, config.environment(), evaluator, task.penalty(), coefficient, config.seed())) {
                    ppo.learnReference(sampled.cloning());
                    keep(snapshots, 0, ppo.policy().logProbs(), evaluator);
                    for (int step = 0; step < steps; step++) {
                        Map<String, Double> metrics = ppo.iterate();
                        run.guard(task.phase(), step + 1L, metrics);
                        if (isKept(task, step + 1, steps)) {
                            keep(snapshots, step + 1, ppo.policy().logProbs(), evaluator);
                        }
                        run.log(task.phase(), step + 1L, metrics);
                    }
                }
            }
        }
        return new TrainedPolicy(task, snapshots);
    }

    /// As many as there are to be snapshots, at distances as even as whole steps allow.
    private static boolean isKept(Task task, int done, int steps) {
        return done * (long) task.snapshots() / steps > (done - 1) * (long) task.snapshots() / steps;
    }

    /// From what a checkpoint holds: the evaluation of a policy that is read from one is the very same.
    private static void keep(List<Snapshot> snapshots, int done, double[][] logProbs, Evaluator evaluator) {
        snapshots.add(new Snapshot(done, logProbs, evaluator.evaluate(new MdpPolicy(logProbs))));
    }

    /// Of those whose curves are drawn; of the others the end is all there is to tell.
    private static void log(Task task, Snapshot snapshot, Run run) {
        if (task.snapshots() > 1) {
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("true_return", snapshot.evaluation().truth());
            metrics.put("proxy_return", snapshot.evaluation().proxy());
            metrics.put("chi_squared", snapshot.evaluation().chiSquared());
            metrics.put("occupancy_kl", snapshot.evaluation().kl());
            metrics.put("action_kl", snapshot.evaluation().actionKl());
            metrics.put("gain", snapshot.evaluation().gain());
            metrics.put("bound", snapshot.evaluation().bound());
            run.log(task.phase(), snapshot.done(), metrics);
        }
    }

    private static Map<String, Tensor> tensors(List<TrainedPolicy> trained) {
        Map<String, Tensor> policies = new LinkedHashMap<>();
        for (TrainedPolicy one : trained) {
            for (Snapshot snapshot : one.snapshots()) {
                policies.put(name(one.task(), snapshot.done()), Tensor.of(snapshot.logProbs()));
            }
        }
        return policies;
    }

    private static String name(Task task, int done) {
        return task.phase() + "-step-" + done;
    }

    private static TrainedPolicy read(
            OccupancyConfig config, Evaluator evaluator, Task task, Map<String, Tensor> policies) {
        List<Snapshot> snapshots = new ArrayList<>();
        for (int done = 0; done <= config.learning().steps(); done++) {
            Tensor logProbs = policies.get(name(task, done));
            if (logProbs != null) {
                keep(snapshots, done, logProbs.toRows(), evaluator);
            }
        }
        return new TrainedPolicy(task, snapshots);
    }

    private static void write(Path file, List<TrainedPolicy> trained) {
        if (Files.exists(file)) {
            return;
        }
        try (Scope _ = new Scope()) {
            Map<String, Tensor> ends = new LinkedHashMap<>();
            trained.forEach(one -> ends.put(
                    one.task().phase(), Tensor.of(one.snapshots().getLast().logProbs())));
            Safetensors.write(file, ends, Map.of());
        }
    }
}
