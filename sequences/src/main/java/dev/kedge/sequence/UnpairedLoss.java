package dev.kedge.sequence;

import dev.kedge.config.Kind;
import dev.kedge.objective.unpaired.Bco.RewardShift;
import dev.kedge.run.Remembered;
import dev.kedge.tensor.Require;
import java.util.concurrent.atomic.AtomicReference;

/// Which loss falls on completions that are desirable or not, as a recipe names it: one of the functions of
/// `objective.unpaired`, and what it compares the rewards of a step with.
public sealed interface UnpairedLoss {
    /// Strength of the regulariser, finite and > 0.
    double beta();

    /// KTO, arXiv:2402.01306.
    ///
    /// @param desirableWeight   of desirable completions, finite and >= 0; `undesirableWeight` of the others
    @Kind("kto")
    public record Kto(double beta, double desirableWeight, double undesirableWeight) implements UnpairedLoss {
        public Kto {
            Require.positive("beta", beta);
            Require.from("desirable_weight", desirableWeight, 0, Double.POSITIVE_INFINITY);
            Require.from("undesirable_weight", undesirableWeight, 0, Double.POSITIVE_INFINITY);
        }
    }

    /// BCO, arXiv:2404.04656.
    @Kind("bco")
    public record Bco(double beta) implements UnpairedLoss {
        public Bco {
            Require.positive("beta", beta);
        }
    }

    /// What a training asks of a loss, with what the loss remembers of earlier steps.
    default UnpairedTraining.Objective objective(UnpairedTraining training) {
        return switch (this) {
            case Kto(double beta, double desirable, double undesirable) ->
                new UnpairedTraining.Objective(
                        batch -> Math.max(0, training.mismatchedKl(batch)),
                        (lp, kl, inStep) ->
                                dev.kedge.objective.unpaired.Kto.kto(lp, kl, beta, desirable, undesirable, inStep));
            case Bco(double beta) -> {
                var shift = new AtomicReference<>(RewardShift.NONE);
                yield new UnpairedTraining.Objective(
                        batch -> shift.updateAndGet(s -> s.after(training.logProbs(batch), beta))
                                .value(),
                        (lp, level, inStep) -> dev.kedge.objective.unpaired.Bco.bco(lp, level, beta, inStep),
                        Remembered.text("shift", () -> written(shift.get()), text -> shift.set(read(text))));
            }
        };
    }

    private static String written(RewardShift s) {
        return s.desirable() + " " + s.desirableSeen() + " " + s.undesirable() + " " + s.undesirableSeen();
    }

    private static RewardShift read(String text) {
        String[] n = text.split(" ");
        return new RewardShift(
                Double.parseDouble(n[0]), Long.parseLong(n[1]), Double.parseDouble(n[2]), Long.parseLong(n[3]));
    }

    /// For a report's headline.
    default String title() {
        return switch (this) {
            case Kto _ -> "KTO";
            case Bco _ -> "BCO";
        };
    }
}
