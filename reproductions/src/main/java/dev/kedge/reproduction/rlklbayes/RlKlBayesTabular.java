package dev.kedge.reproduction.rlklbayes;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.objective.variational.TargetEstimates;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// The experiment behind the claims of RL as Bayesian inference where the policy is a table of logits: outcomes with a
/// random prior and random rewards, and policies that learn from samples.
public final class RlKlBayesTabular {
    /// Steps between looks at the proposal.
    private static final int EVERY = 10;

    /// Steps between the points of a picture.
    private static final int DRAWN = 150;

    private RlKlBayesTabular() {}

    /// How large the experiment is.
    public record Scale(int outcomes, double beta, int steps, int samples, double learningRate) {
        static final Scale PUBLISHED = new Scale(64, 0.5, 1500, 64, 0.02);
    }

    /// What learns.
    enum Arm {
        REINFORCE("REINFORCE"),
        KL_RL("KL-REINFORCE"),
        DPG("DPG"),
        DPG_BASELINE("DPG with baseline");

        final String title;

        Arm(String title) {
            this.title = title;
        }
    }

    /// What is measured of it.
    enum Measure {
        REWARD("expected reward"),
        ENTROPY("entropy, nats"),
        ENTROPY_SHARE("entropy as a share of the posterior's"),
        KL_PRIOR("KL(policy || prior), nats"),
        KL_TO("KL(policy || posterior), nats"),
        KL_FROM("KL(posterior || policy), nats"),
        BOUND_SHARE("objective as a share of beta log Z"),
        IDENTITY("distance of the objective from beta log Z - beta KL(policy || posterior)"),
        VARIANCE("variance of the gradient from one sample, at the last policy of KL-REINFORCE");

        final String title;

        Measure(String title) {
            this.title = title;
        }

        String of(Arm arm) {
            return title + ": " + arm.title;
        }

        Claim.Arm arm(Arm arm) {
            return new Claim.Arm(arm.title, of(arm));
        }
    }

    static Experiment experiment(Scale s) {
        var description = "" + s.outcomes + " outcomes, prior uniform among distributions, rewards normal, beta "
                + s.beta + ". A policy of logits starts at the prior: " + s.steps + " steps of " + s.samples
                + " samples, Adam at " + s.learningRate + ". REINFORCE, with and without the log-ratio in the "
                + "reward, has the mean of the batch for baseline; DPG divides by the running Z and looks "
                + "every " + EVERY + " steps whether the policy, by the estimated KL from the target, takes "
                + "the proposal's place.";
        return new Experiment("tabular", description, 12, seed -> outcome(s, seed));
    }

    /// Prior, reward and posterior of one seed: `[n]`, nats.
    private record Problem(Scale scale, Tensor logPrior, Tensor reward, Tensor logPosterior) {
        static Problem of(Scale s, long seed) {
            var random = new SplittableRandom(Streams.of(seed, "problem"));
            double[] prior = new double[s.outcomes];
            double[] reward = new double[s.outcomes];
            Arrays.setAll(prior, _ -> Math.log(-Math.log1p(-random.nextDouble()))); // Dirichlet(1): exponentials
            Arrays.setAll(reward, _ -> random.nextGaussian());
            Tensor logPrior = Tensor.of(prior).logSoftmax(0);
            Tensor rewards = Tensor.of(reward);
            return new Problem(s, logPrior, rewards, EvidenceBound.logPosterior(logPrior, rewards, s.beta));
        }

        /// `log P`, the posterior without its normaliser.
        Tensor logScore() {
            return logPrior.plus(reward.div(scale.beta));
        }

        double entropy(Tensor logProbs) {
            return -logProbs.exp()
                    .times(Elementwise.clampMin(logProbs, -700))
                    .sum()
                    .item();
        }

        double kl(Tensor logP, Tensor logQ) {
            return new ReverseKl().categorical(logP, logQ).item();
        }
    }

    private static Outcome outcome(Scale s, long seed) {
        try (Scope _ = new Scope()) {
            var problem = Problem.of(s, seed);
            double entropy = problem.entropy(problem.logPosterior);
            double best = s.beta
                    * EvidenceBound.logEvidence(problem.logPrior, problem.reward, s.beta)
                            .item();
            double atPosterior = EvidenceBound.objective(problem.logPosterior, problem.logPrior, problem.reward, s.beta)
                    .item();
            var outcome = Outcome.NOTHING
                    .with("entropy, nats: posterior", entropy)
                    .with(
                            "expected reward: posterior",
                            problem.logPosterior
                                    .exp()
                                    .times(problem.reward)
                                    .sum()
                                    .item())
                    .with("distance of the posterior's objective from beta log Z", Math.abs(atPosterior - best));
            List<Frontier.Arm> entropies = new ArrayList<>();
            List<Frontier.Arm> divergences = new ArrayList<>();
            for (var arm : Arm.values()) {
                var learner = new Learner(problem, arm, new SplittableRandom(Streams.of(seed, "samples")));
                Tensor policy = learner.run();
                double reverse = problem.kl(policy, problem.logPosterior);
                double objective = EvidenceBound.objective(policy, problem.logPrior, problem.reward, s.beta)
                        .item();
                outcome = outcome.with(
                                Measure.REWARD.of(arm),
                                policy.exp().times(problem.reward).sum().item())
                        .with(Measure.ENTROPY.of(arm), problem.entropy(policy))
                        .with(Measure.ENTROPY_SHARE.of(arm), problem.entropy(policy) / entropy)
                        .with(Measure.KL_PRIOR.of(arm), problem.kl(policy, problem.logPrior))
                        .with(Measure.KL_TO.of(arm), reverse)
                        .with(Measure.KL_FROM.of(arm), problem.kl(problem.logPosterior, policy))
                        .with(Measure.BOUND_SHARE.of(arm), objective / best)
                        .with(Measure.IDENTITY.of(arm), Math.abs(objective - (best - s.beta * reverse)));
                if (arm == Arm.KL_RL) {
                    outcome = outcome.with(Measure.VARIANCE.of(Arm.DPG), variance(problem, policy, 0))
                            .with(Measure.VARIANCE.of(Arm.DPG_BASELINE), variance(problem, policy, 1));
                }
                entropies.add(new Frontier.Arm(arm.title, learner.entropies));
                divergences.add(new Frontier.Arm(arm.title, learner.divergences));
            }
            var line = List.of(
                    new Frontier.Point(0, Frontier.Point.of(0, entropy).y(), "posterior"),
                    new Frontier.Point(s.steps, Frontier.Point.of(0, entropy).y(), "posterior"));
            return outcome.with(new Frontier("Entropy of a table of logits", "steps", "nats", entropies, line))
                    .with(new Frontier(
                            "KL(posterior || policy) of a table of logits", "steps", "log10 of nats", divergences));
        }
    }

    /// Of DPG's gradient for the logits from one sample of the policy itself, exactly: the trace of the covariance of
    /// `w·∇log π`, w = P/(Z·π) less the baseline.
    private static double variance(Problem problem, Tensor logPolicy, double baseline) {
        double[] policy = logPolicy.exp().toDoubles();
        double[] target = problem.logPosterior.exp().toDoubles();
        double[] mean = new double[policy.length];
        double square = 0;
        double squares = Arrays.stream(policy).map(p -> p * p).sum();
        for (int x = 0; x < policy.length; x++) {
            double weight = target[x] / policy[x] - baseline;
            square += policy[x] * weight * weight * (1 - 2 * policy[x] + squares); // |e_x - π|²
            for (int k = 0; k < policy.length; k++) {
                mean[k] += policy[x] * weight * ((k == x ? 1 : 0) - policy[k]);
            }
        }
        return square - Arrays.stream(mean).map(m -> m * m).sum();
    }

    /// The loop of one arm.
    private static final class Learner {
        private final Problem problem;
        private final Arm arm;
        private final SplittableRandom random;
        private final List<Frontier.Point> entropies = new ArrayList<>();
        private final List<Frontier.Point> divergences = new ArrayList<>();
        private double[] proposal;
        private double normaliser;
        private int estimates;

        Learner(Problem problem, Arm arm, SplittableRandom random) {
            this.problem = problem;
            this.arm = arm;
            this.random = random;
            proposal = problem.logPrior.toDoubles();
        }

        /// The policy after the last step: `log π`, `[n]`.
        Tensor run() {
            var s = problem.scale;
            try (Scope scope = new Scope();
                    var parameters = Parameters.copyOf(Map.of("logits", problem.logPrior), DType.FLOAT64, Device.CPU)) {
                Descent.at(s.learningRate, s.steps).run(parameters, step -> {
                    Tensor logPolicy = parameters.get("logits").logSoftmax(0);
                    record(step, logPolicy.detach());
                    if (arm == Arm.DPG || arm == Arm.DPG_BASELINE) {
                        adapt(step, logPolicy.detach());
                    } else {
                        proposal = logPolicy.detach().toDoubles();
                    }
                    Tensor drawn = sample();
                    Tensor logProbs = logPolicy.indexSelect(0, drawn);
                    return Dpg.dpg(logProbs, weights(logProbs.detach(), drawn), s.samples)
                            .value();
                });
                Tensor last = parameters.get("logits").detach().logSoftmax(0);
                record(s.steps, last);
                return scope.keep(last);
            }
        }

        private void record(int step, Tensor policy) {
            if (step % DRAWN == 0 || step == problem.scale.steps) {
                entropies.add(Frontier.Point.of(step, problem.entropy(policy)));
                divergences.add(Frontier.Point.of(step, Math.log10(problem.kl(problem.logPosterior, policy))));
            }
        }

        private Tensor sample() {
            int[] drawn = new int[problem.scale.samples];
            Arrays.setAll(drawn, _ -> {
                double left = random.nextDouble();
                int x = 0;
                while (x < proposal.length - 1 && (left -= Math.exp(proposal[x])) >= 0) {
                    x++;
                }
                return x;
            });
            return Tensor.of(drawn, drawn.length).to(DType.INT64);
        }

        private Tensor weights(Tensor logProbs, Tensor drawn) {
            Tensor reward = problem.reward.indexSelect(0, drawn);
            Tensor logPrior = problem.logPrior.indexSelect(0, drawn);
            Tensor logScore = problem.logScore().indexSelect(0, drawn);
            Tensor logProposal = Tensor.of(proposal).indexSelect(0, drawn);
            return switch (arm) {
                case REINFORCE -> reward.minus(reward.mean());
                case KL_RL -> {
                    Tensor worth = EvidenceBound.rewardWithPenalty(logProbs, logPrior, reward, problem.scale.beta);
                    yield worth.minus(worth.mean());
                }
                case DPG -> Dpg.weights(logScore, logProposal).div(normaliser);
                case DPG_BASELINE ->
                    Dpg.advantages(logScore, logProposal, logProbs, normaliser).div(normaliser);
            };
        }

        private void adapt(int step, Tensor logPolicy) {
            if (step % EVERY == 0) {
                Tensor drawn = sample();
                var estimate = TargetEstimates.of(
                        problem.logScore().indexSelect(0, drawn),
                        Tensor.of(proposal).indexSelect(0, drawn),
                        logPolicy.indexSelect(0, drawn));
                normaliser = (normaliser * estimates + estimate.normaliser().item()) / (estimates + 1);
                estimates++;
                if (estimate.klPolicy().item() < estimate.klProposal().item()) {
                    proposal = logPolicy.toDoubles();
                }
            }
        }
    }
}
