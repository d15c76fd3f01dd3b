package dev.kedge.recipe.demonstration;

import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Demonstrations;
import dev.kedge.recipe.demonstration.DemoRegRlBench.PlannedPolicy;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Trial;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Demonstration-regularized reinforcement learning (arXiv:2310.17303) in an environment that is solved exactly.
///
/// An expert demonstrates, without rewards; behaviour cloning makes a policy of it; UCBVI-Ent+ ([UcbviEnt]) explores
/// for reward less `lambda` times the KL to the clone. Beside it: UCBVI without a reference, a uniform reference, the
/// clone alone, demonstrations that count as episodes instead, and demonstrations of somebody who does not know the
/// environment. Then the same with rewards that are not known, but learnt from preferences between trajectories of the
/// clone.
///
/// `policy.csv` in the run's folder is what the paper's method came to: a probability for each stage, state and action.
///
/// Everything is repeated with other draws; all arms of a repetition have the same demonstrations, fewer of them being
/// the first of more. Values are exact, so that the gap to the best policy is.
///
/// Command: `./kedge run recipes/demo-reg-rl.yaml`. Numbers: docs/papers/demo-reg-rl.md.
public final class DemoRegRlRecipe {
    private DemoRegRlRecipe() {}

    public static void run(DemoRegRlConfig config, Run run) {
        Engine.useThreads(config.threads());
        DemoRegRlBench bench = DemoRegRlBench.of(config);
        Map<Integer, List<List<MdpPolicy>>> clones = new LinkedHashMap<>();
        Map<String, List<Trial>> trials = new LinkedHashMap<>();
        Map<String, List<PlannedPolicy>> planned = new LinkedHashMap<>();
        try (Progress progress = run.progress("explore", 0, config.repetitions())) {
            for (int i = 0; i < config.repetitions(); i++) {
                long seed = Streams.of(config.seed(), "repetition", i);
                Demonstrations demonstrations = bench.demonstrate(seed);
                for (int n : config.demonstrations()) {
                    clones.computeIfAbsent(n, _ -> new ArrayList<>())
                            .add(bench.clone(demonstrations.expert().subList(0, n)));
                }
                for (Arm arm : config.arms()) {
                    List<Integer> numbers = arm.needsDemonstrations() ? config.demonstrations() : List.of(0);
                    for (int n : numbers) {
                        trials.computeIfAbsent(title(arm, n), _ -> new ArrayList<>())
                                .add(bench.trial(arm, n, demonstrations, seed));
                    }
                }
                if (config.preferences().isPresent()) {
                    bench.plan(config.preferences().get(), demonstrations, seed)
                            .forEach(one -> planned.computeIfAbsent(one.title(), _ -> new ArrayList<>())
                                    .add(one));
                }
                progress.step(i + 1L, trials.size() + " arms");
            }
        }
        DemoRegRlSummary summary = new DemoRegRlSummary(config, bench, clones, trials, planned);
        summary.log(run);
        summary.save(run.folder());
        run.summarise(summary.of(run.seconds()));
    }

    private static String title(Arm arm, int demonstrations) {
        return arm.needsDemonstrations() ? arm.title() + ", N " + demonstrations : arm.title();
    }
}
