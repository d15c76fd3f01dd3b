package dev.kedge.objective.conformance;

import dev.kedge.env.Categorical;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.objective.game.NashMd;
import dev.kedge.objective.game.NashMdPg;
import dev.kedge.objective.game.OnlineIpo;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// Cases of EGPO (arXiv:2503.08942): its loss and its baselines' in one game, runs of updates, and the loss of answers.
final class EgpoCases {
    private EgpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("policy_logps_y_yprime", "ref_logps_y_yprime", "prefs_y_yprime_vs_opponent")) {
            return Optional.of(sequences(c));
        }
        if (c.hasInputs("P", "policy_logits", "ref_logits")) {
            if (c.hasParams("loss")) {
                return Optional.of(oneLoss(c));
            }
            if (c.hasParams("algorithm", "sgd_lr", "updates")) {
                return Optional.of(updates(c));
            }
        }
        return Optional.empty();
    }

    private static Map<String, Object> sequences(Case c) {
        Tensor logProbs = c.tensor("policy_logps_y_yprime").requiresGrad();
        Loss loss = Egpo.sequences(
                logProbs,
                c.tensor("ref_logps_y_yprime"),
                c.tensor("prefs_y_yprime_vs_opponent"),
                c.number("beta"),
                logProbs.size(0));
        loss.value().backward();
        return Map.of("loss", loss.value(), "grad_policy_logps", logProbs.grad());
    }

    private static Map<String, Object> oneLoss(Case c) {
        double beta = c.number("beta");
        MatrixGames game = game(c);
        Tensor logits = c.tensor("policy_logits").requiresGrad();
        Tensor logPolicy = logits.logSoftmax(0).unsqueeze(0);
        Loss loss =
                switch (c.text("loss")) {
                    case "online_ipo_1" -> OnlineIpo.onlineIpo1(logPolicy, game, beta, 1);
                    case "online_ipo_2" -> OnlineIpo.onlineIpo2(logPolicy, game, beta, 1);
                    case "nash_md" -> NashMd.nashMd(logPolicy, game, beta, refShare(c), 1);
                    case "nash_md_pg" -> NashMdPg.nashMdPg(logPolicy, game, beta, refShare(c), 1);
                    case String other -> throw new IllegalArgumentException("no loss " + other);
                };
        loss.value().backward();
        return Map.of(
                "loss", loss.value(),
                "grad_policy_logits", logits.grad(),
                "duality_gap", dualityGap(c, logits));
    }

    private static double refShare(Case c) {
        return c.number("nash_md_mixture_coefficient_on_ref");
    }

    private static Map<String, Object> updates(Case c) {
        MatrixGames game = game(c);
        UnaryOperator<Tensor> update =
                switch (c.text("algorithm")) {
                    case "extragradient" -> logits -> step(c, game, logits, step(c, game, logits, logits));
                    case "online_ipo_1" -> logits -> step(c, game, logits, logits);
                    case String other -> throw new IllegalArgumentException("no algorithm " + other);
                };
        Tensor logits = c.tensor("policy_logits");
        double before = dualityGap(c, logits);
        Map<String, Object> outputs = new LinkedHashMap<>();
        for (int i = 1; i <= c.number("updates"); i++) {
            logits = update.apply(logits);
            if (i == 1) {
                outputs.put("policy_logits_after_first_update", logits);
            }
        }
        outputs.put("policy_logits_final", logits);
        outputs.put("duality_gap_first_and_last", new double[] {before, dualityGap(c, logits)});
        return outputs;
    }

    /// A step of plain gradient descent from `logits`, against the policy of the opponent's logits.
    private static Tensor step(Case c, MatrixGames game, Tensor logits, Tensor opponent) {
        try (Scope step = new Scope()) {
            Tensor leaf = logits.copy().requiresGrad();
            Tensor logOpponent = opponent.logSoftmax(0).unsqueeze(0);
            Egpo.egpo(leaf.logSoftmax(0).unsqueeze(0), logOpponent, game, c.number("beta"), 1)
                    .value()
                    .backward();
            return step.keep(logits.minus(leaf.grad().times(c.number("sgd_lr"))));
        }
    }

    private static MatrixGames game(Case c) {
        return new MatrixGames(
                c.tensor("P").unsqueeze(0), c.tensor("ref_logits").logSoftmax(0).unsqueeze(0));
    }

    private static double dualityGap(Case c, Tensor logits) {
        Tensor p = c.tensor("P");
        double[][] rows = IntStream.range(0, (int) p.size(0))
                .mapToObj(i -> p.select(0, i).toDoubles())
                .toArray(double[][]::new);
        return new RegularizedGame(
                        new PreferenceGame(rows), c.tensor("ref_logits").toDoubles(), c.number("beta"))
                .dualityGap(Categorical.logSoftmax(logits.toDoubles()));
    }
}
