package dev.kedge.objective.conformance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.MatrixGames;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Cases of INPO (arXiv:2407.00617): the loss of pairs, and the population's losses and updates in one game.
final class InpoCases {
    private InpoCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        if (c.hasInputs("policy_w", "policy_l", "ref_w", "ref_l", "prev_w", "prev_l")) {
            return Optional.of(pairLoss(c));
        }
        if (c.hasInputs("P", "log_policy", "log_prev", "log_ref")) {
            return Optional.of(tabular(c));
        }
        return Optional.empty();
    }

    private static Map<String, Object> pairLoss(Case c) {
        Tensor chosen = c.tensor("policy_w").requiresGrad();
        Tensor rejected = c.tensor("policy_l").requiresGrad();
        var lp = new PreferenceLogProbs(chosen, rejected, c.tensor("ref_w"), c.tensor("ref_l"));
        Loss loss = Inpo.inpo(lp, c.tensor("prev_w"), c.tensor("prev_l"), c.number("eta"), c.number("tau"), lp.pairs());
        loss.value().backward();
        return Map.of(
                "losses", loss.metric("loss"),
                "loss_mean", loss.value(),
                "grad_policy_w", chosen.grad(),
                "grad_policy_l", rejected.grad());
    }

    private static Map<String, Object> tabular(Case c) {
        double eta = c.number("eta");
        double tau = c.number("tau");
        var game =
                new MatrixGames(c.tensor("P").unsqueeze(0), c.tensor("log_ref").unsqueeze(0));
        Tensor policy = c.tensor("log_policy").unsqueeze(0);
        Tensor previous = c.tensor("log_prev").unsqueeze(0);
        Map<String, Object> outputs = new LinkedHashMap<>();
        outputs.put(
                "population_loss_with_win_rates",
                Inpo.withWinRates(policy, previous, game, eta, tau, 1).value());
        outputs.put(
                "population_loss_with_winner_loser_pairs",
                Inpo.withWinnersAndLosers(policy, previous, game, eta, tau, 1).value());
        for (int update = 1; update <= 200; update++) {
            previous = minimiser(previous, game, eta, tau);
            if (update == 1) {
                outputs.put("log_policy_after_one_exact_update", previous.squeeze(0));
            }
        }
        outputs.put("log_policy_after_200_exact_updates", previous.squeeze(0));
        return outputs;
    }

    /// Where the regression from `previous` ends. The loss is quadratic in the logits, with the second derivatives
    /// `4·(diag π_t - π_t·π_tᵀ)`, whose inverse on logits without their constant is `1/(4·π_t)`: one step of
    /// Newton.
    private static Tensor minimiser(Tensor previous, MatrixGames game, double eta, double tau) {
        try (Scope step = new Scope()) {
            Tensor logits = previous.copy().requiresGrad();
            Inpo.withWinRates(logits.logSoftmax(1), previous, game, eta, tau, 1)
                    .value()
                    .backward();
            Tensor newton = logits.grad().div(previous.exp().times(4));
            return step.keep(logits.detach().minus(newton).logSoftmax(1));
        }
    }
}
