package dev.kedge.recipe.occupancy;

import dev.kedge.env.Categorical;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Penalty.Divergence;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.divergence.ChiSquared;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.occupancy.ActionPenalty;
import dev.kedge.objective.occupancy.Discriminator;
import dev.kedge.objective.occupancy.RootChiSquaredPenalty;
import dev.kedge.objective.policy.PpoClip;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;

/// PPO on a proxy, with a discriminator that tells the policy's steps from the reference's (ORPO, arXiv:2403.03185,
/// Algorithm): half of the steps of an iteration are the reference's; the discriminator learns from all of them, then
/// scores the policy's; the penalty is taken off the rewards; generalised advantages, standardised; the clipped
/// objective. A penalty of actions is part of the loss instead.
///
/// Episodes end after each step with probability `1 - discount`, so that steps are draws from the discounted occupancy;
/// what would have come after is the critic's to say.
final class OccupancyPpo implements AutoCloseable {
    private static final double FLOOR = 1e-4;
    private static final double CLONING_RATE = 3e-3;

    private final OccupancyConfig.Sampled config;
    private final Evaluator evaluator;
    private final Penalty penalty;
    private final double coefficient;
    private final SplittableRandom random;
    private final Tensor seen; // [S, F]
    private final Tensor pairs; // what the discriminator sees, [S·A, F + A]
    private final Tensor logRef; // [S, A]
    private final Mlp actor;
    private final Mlp critic;
    private final Mlp discriminator;
    private final AdamW actorSteps;
    private final AdamW criticSteps;
    private final AdamW discriminatorSteps;

    /// @param coefficient in the unit of the proxy
    OccupancyPpo(
            OccupancyConfig.Sampled config,
            ProxyEnvironment environment,
            Evaluator evaluator,
            Penalty penalty,
            double coefficient,
            long seed) {
        this.config = config;
        this.evaluator = evaluator;
        this.penalty = penalty;
        this.coefficient = coefficient;
        random = new SplittableRandom(Streams.of(seed, "steps"));
        double[][] observations = environment.observations();
        int actions = evaluator.reference().actions();
        int features = observations[0].length;
        seen = matrix(observations);
        pairs = matrix(withActions(observations, actions, !(penalty instanceof Penalty.States)));
        logRef = matrix(evaluator.reference().logProbs());
        try (Rng rng = Rng.seeded(Streams.of(seed, "weights"))) {
            actor = Mlp.random(features, config.hidden(), actions, rng);
            critic = Mlp.random(features, config.hidden(), 1, rng);
            discriminator = Mlp.random(features + actions, config.hidden(), 1, rng);
        }
        actorSteps = new AdamW(actor.parameters(), AdamW.Config.DEFAULT);
        criticSteps = new AdamW(critic.parameters(), AdamW.Config.DEFAULT);
        discriminatorSteps = new AdamW(discriminator.parameters(), AdamW.Config.DEFAULT);
    }

    private static Tensor matrix(double[][] rows) {
        try (Scope scope = new Scope()) {
            return scope.keep(Tensor.of(rows).to(DType.FLOAT32)).unscoped();
        }
    }

    private static double[][] withActions(double[][] observations, int actions, boolean shown) {
        double[][] rows = new double[observations.length * actions][];
        Arrays.setAll(rows, i -> {
            double[] row = Arrays.copyOf(observations[i / actions], observations[0].length + actions);
            row[observations[0].length + i % actions] = shown ? 1 : 0;
            return row;
        });
        return rows;
    }

    /// Learns the reference from its probabilities, all states alike: `mean_s KL(ref||π)`.
    void learnReference(int steps) {
        for (int i = 0; i < steps; i++) {
            try (Scope _ = new Scope()) {
                Tensor logProbs = actor.of(seen).logSoftmax(1);
                logRef.exp().times(logProbs).sum(1).mean().neg().backward();
                actorSteps.step(CLONING_RATE);
            }
        }
    }

    /// The actor's policy.
    MdpPolicy policy() {
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            return MdpPolicy.softmax(actor.of(seen).to(DType.FLOAT64).toRows());
        }
    }

    /// One iteration; what can be seen of it.
    Map<String, Double> iterate() {
        MdpPolicy policy = policy();
        ProcessSteps mine = ProcessSteps.drawn(evaluator, policy, config.batch(), random);
        ProcessSteps theirs = ProcessSteps.drawn(evaluator, evaluator.reference(), config.batch(), random);
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("discriminator_loss", discriminate(mine, theirs));
        double[] penalties = penalties(mine, metrics);
        double[] rewards = new double[mine.states().length];
        Arrays.setAll(rewards, i -> mine.proxy(i) - (isOfActions() ? 0 : coefficient * penalties[i]));
        metrics.put(
                "action_kl",
                mine.mean(i -> Categorical.kl(
                        policy.logProbs()[mine.states()[i]],
                        evaluator.reference().logProbs()[mine.states()[i]])));
        metrics.put("true_return", mine.mean(mine::truth));
        metrics.put("proxy_return", mine.mean(mine::proxy));
        metrics.put("penalised_return", Bootstrap.mean(rewards));
        improve(mine, policy, rewards, metrics);
        return metrics;
    }

    private boolean isOfActions() {
        return penalty instanceof Penalty.Actions;
    }

    /// Epochs of the discriminator over both; the mean loss.
    private double discriminate(ProcessSteps mine, ProcessSteps theirs) {
        double sum = 0;
        int batches = 0;
        for (int epoch = 0; epoch < config.discriminatorEpochs(); epoch++) {
            int[] order = order();
            int[] other = order();
            for (int from = 0; from < order.length; from += config.minibatch()) {
                int to = Math.min(from + config.minibatch(), order.length);
                try (Scope _ = new Scope()) {
                    Tensor current = scores(mine.pairs(Arrays.copyOfRange(order, from, to)));
                    Tensor reference = scores(theirs.pairs(Arrays.copyOfRange(other, from, to)));
                    Tensor loss = Discriminator.logistic(current, reference, to - from, to - from)
                            .value();
                    loss.backward();
                    discriminatorSteps.step(config.discriminatorRate());
                    sum += loss.item();
                    batches++;
                }
            }
        }
        return sum / batches;
    }

    private Tensor scores(Tensor chosen) {
        return discriminator.of(pairs.indexSelect(0, chosen)).squeeze(1);
    }

    private int[] order() {
        int[] order = new int[config.batch()];
        Arrays.setAll(order, i -> i);
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }

    /// Of each step, without the coefficient.
    private double[] penalties(ProcessSteps mine, Map<String, Double> metrics) {
        int[] all = new int[config.batch()];
        Arrays.setAll(all, i -> i);
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor scores = Elementwise.clamp(
                    scores(mine.pairs(all)).to(DType.FLOAT64), -config.scoreLimit(), config.scoreLimit());
            RootChiSquaredPenalty root = RootChiSquaredPenalty.of(scores, config.trim());
            metrics.put("chi_squared", root.trimmed().item());
            metrics.put("chi_squared_untrimmed", root.untrimmed().item());
            metrics.put("occupancy_kl", scores.mean().item());
            Tensor each =
                    switch (penalty) {
                        case Penalty.None _, Penalty.Actions _ -> scores.zerosLike();
                        case Penalty.States(var divergence) -> each(divergence, scores, root);
                        case Penalty.Occupancies(var divergence) -> each(divergence, scores, root);
                    };
            return Elementwise.clampMax(each, config.penaltyLimit()).toDoubles();
        }
    }

    private static Tensor each(Divergence divergence, Tensor scores, RootChiSquaredPenalty root) {
        return switch (divergence) {
            case KL -> scores;
            case CHI_SQUARED -> Elementwise.expm1(scores);
            case ROOT_CHI_SQUARED -> root.perStep();
        };
    }

    /// Advantages, then the epochs of actor and critic. The critic says `(1 - discount)` times what is to come.
    private void improve(ProcessSteps mine, MdpPolicy policy, double[] rewards, Map<String, Double> metrics) {
        int count = rewards.length;
        double discount = evaluator.discount();
        double[] values;
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            values = critic.of(seen).toDoubles();
        }
        double[] advantages = new double[count];
        double[] targets = new double[count];
        double after = 0;
        for (int i = count - 1; i >= 0; i--) {
            double error = (1 - discount) * rewards[i] + discount * values[mine.after()[i]] - values[mine.states()[i]];
            after = error + (mine.ends()[i] ? 0 : discount * config.gaeLambda() * after);
            advantages[i] = after;
            targets[i] = after + values[mine.states()[i]];
        }
        double mean = Bootstrap.mean(advantages);
        double deviation = Math.sqrt(
                Arrays.stream(advantages).map(a -> (a - mean) * (a - mean)).sum() / count);
        Arrays.setAll(advantages, i -> (advantages[i] - mean) / (deviation + 1e-8));
        double policyLoss = 0;
        double valueLoss = 0;
        int batches = 0;
        for (int epoch = 0; epoch < config.epochs(); epoch++) {
            int[] order = order();
            for (int from = 0; from < count; from += config.minibatch()) {
                int[] chosen = Arrays.copyOfRange(order, from, Math.min(from + config.minibatch(), count));
                try (Scope _ = new Scope()) {
                    policyLoss += actorStep(mine, policy, advantages, chosen);
                    valueLoss += criticStep(mine, targets, chosen);
                    batches++;
                }
            }
        }
        metrics.put("policy_loss", policyLoss / batches);
        metrics.put("value_loss", valueLoss / batches);
    }

    private double actorStep(ProcessSteps mine, MdpPolicy policy, double[] advantages, int[] chosen) {
        int size = chosen.length;
        Tensor states = ProcessSteps.index(Arrays.stream(chosen).map(i -> mine.states()[i]));
        Tensor actions = ProcessSteps.index(Arrays.stream(chosen).map(i -> mine.actions()[i]));
        Tensor logProbs = actor.of(seen.indexSelect(0, states)).logSoftmax(1);
        Tensor old = column(chosen, i -> policy.logProbs()[mine.states()[i]][mine.actions()[i]]);
        // An action is a completion of one token; none is masked.
        var rollout = new Rollout(logProbs.gather(1, actions.unsqueeze(1)), old, old.isFinite());
        Tensor loss = PpoClip.ppoClip(rollout, column(chosen, i -> advantages[i]), config.clip(), size)
                .value();
        if (config.entropy() > 0) {
            loss = loss.plus(logProbs.exp().times(logProbs).sum(1).mean().times(config.entropy()));
        }
        if (penalty instanceof Penalty.Actions(var divergence) && coefficient > 0) {
            Tensor reference = logRef.indexSelect(0, states);
            Tensor each =
                    switch (divergence) {
                        case KL -> new ReverseKl().categorical(logProbs, reference);
                        case CHI_SQUARED -> new ChiSquared().categorical(logProbs, reference);
                        case ROOT_CHI_SQUARED ->
                            ActionPenalty.root(new ChiSquared().categorical(logProbs, reference), FLOOR);
                    };
            loss = loss.plus(ActionPenalty.mean(each, coefficient, evaluator.discount(), size)
                    .value());
        }
        loss.backward();
        actorSteps.step(config.learningRate());
        return loss.item();
    }

    private double criticStep(ProcessSteps mine, double[] targets, int[] chosen) {
        Tensor states = ProcessSteps.index(Arrays.stream(chosen).map(i -> mine.states()[i]));
        Tensor error = critic.of(seen.indexSelect(0, states)).minus(column(chosen, i -> targets[i]));
        Tensor loss = error.square().mean();
        loss.backward();
        criticSteps.step(config.learningRate());
        return loss.item();
    }

    private static Tensor column(int[] chosen, IntToDoubleFunction of) {
        return Tensor.of(Arrays.stream(chosen).mapToDouble(of).toArray())
                .to(DType.FLOAT32)
                .unsqueeze(1);
    }

    @Override
    public void close() {
        for (var mlp : new Mlp[] {actor, critic, discriminator}) {
            mlp.close();
        }
        for (var steps : new AdamW[] {actorSteps, criticSteps, discriminatorSteps}) {
            steps.close();
        }
        seen.close();
        pairs.close();
        logRef.close();
    }
}
