package dev.kedge.reproduction.adpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.nn.optim.Descent;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AnchorRule;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The distillation behind ADPO's claims: one target, the teacher, against three anchors.
public final class AdpoDistillation {
    private static final int INPUTS = 8;
    private static final int ACTIONS = 8;
    private static final int TEACHER_HIDDEN = 64;
    private static final int STUDENT_HIDDEN = 16;
    private static final int STATES = 64;
    private static final int EARLIER_STEPS = 200;
    private static final double RATE = 5e-3;
    private static final double EMA = 0.99;
    private static final int POINTS = 25;

    /// Makes random teachers decided: their logits, drawn small, times this.
    private static final double SHARPNESS = 5;

    private AdpoDistillation() {}

    /// How large the experiment is.
    ///
    /// @param steps of distillation, a multiple of 25
    /// @param fresh states to judge by
    public record Scale(int steps, int fresh) {
        static final Scale PUBLISHED = new Scale(500, 2000);
    }

    /// What the student is measured against.
    enum Anchor {
        UNIFORM("distillation without anchor"),
        SELF("anchored at the student's start"),
        AVERAGE("anchored at the student's average");

        final String title;

        Anchor(String title) {
            this.title = title;
        }

        Arm arm(String measure) {
            return new Arm(title, number(measure));
        }

        String number(String measure) {
            return measure + ", " + title;
        }
    }

    static final String LAST = "KL(teacher||student)";
    static final String LEAST = "least KL(teacher||student) on the way";

    static Experiment experiment(Scale s) {
        var description = "A random teacher a seed over " + ACTIONS + " actions in states of " + INPUTS + " standard "
                + "normal numbers, a network with " + TEACHER_HIDDEN + " hidden units; a student with "
                + STUDENT_HIDDEN + ", which had imitated another teacher for " + EARLIER_STEPS + " steps. It "
                + "is fitted to the teacher in " + STATES + " states by " + s.steps + " steps of AdamW "
                + "(learning rate " + RATE + ", all states) at tau 1, without anchor, anchored at its start, "
                + "or at its moving average (" + EMA + " kept a step). KL is exact, on " + s.fresh
                + " fresh states.";
        return new Experiment("distillation", description, 20, seed -> outcome(s, curves(s, seed)));
    }

    private static Outcome outcome(Scale s, double[][] kl) {
        var outcome = Outcome.NOTHING;
        for (var a : Anchor.values()) {
            double[] own = kl[a.ordinal()];
            outcome = outcome.with(a.number(LAST), own[own.length - 1])
                    .with(a.number(LEAST), Arrays.stream(own).min().orElseThrow());
        }
        var arms = Arrays.stream(Anchor.values())
                .map(a -> new Frontier.Arm(
                        a.title,
                        IntStream.rangeClosed(0, POINTS)
                                .mapToObj(i -> Frontier.Point.of(i * s.steps / (double) POINTS, kl[a.ordinal()][i]))
                                .toList()))
                .toList();
        return outcome.with(new Frontier("Distillation against three anchors", "steps", LAST + " (nats)", arms));
    }

    /// `KL(teacher||student)` on fresh states at the start and after every 25th of the steps: [anchor][26].
    static double[][] curves(Scale s, long seed) {
        try (var _ = new Scope();
                var rng = Rng.seeded(Streams.of(seed, "distillation"));
                var teacher = MlpStack.random(INPUTS, TEACHER_HIDDEN, ACTIONS, rng);
                var earlier = MlpStack.random(INPUTS, TEACHER_HIDDEN, ACTIONS, rng);
                var start = MlpStack.random(INPUTS, STUDENT_HIDDEN, ACTIONS, rng)) {
            Tensor states = rng.normal(STATES, INPUTS);
            Tensor fresh = rng.normal(s.fresh, INPUTS);
            imitate(start, states, taught(earlier, states));
            return curves(s, start, states, taught(teacher, states), fresh, taught(teacher, fresh));
        }
    }

    private static double[][] curves(
            Scale s, MlpStack start, Tensor states, Tensor target, Tensor fresh, Tensor freshTarget) {
        int anchors = Anchor.values().length;
        double[][] kl = new double[anchors][POINTS + 1];
        try (var students = start.repeated(anchors);
                var average = start.repeated(1)) {
            Tensor started = start.logProbs(states).detach();
            record(kl, 0, students, fresh, freshTarget);
            Descent.at(RATE, s.steps)
                    .run(
                            students.parameters(),
                            _ -> {
                                Tensor averaged = average.logProbs(states).detach();
                                Tensor anchored = Tensor.cat(List.of(started.zerosLike(), started, averaged), 0);
                                return loss(students, states, anchored, target);
                            },
                            step -> {
                                follow(average, students, step + 1);
                                if ((step + 1) % (s.steps / POINTS) == 0) {
                                    record(kl, (step + 1) / (s.steps / POINTS), students, fresh, freshTarget);
                                }
                            });
        }
        return kl;
    }

    /// Plain distillation, to have a student that knows something.
    private static void imitate(MlpStack student, Tensor states, Tensor target) {
        Descent.at(RATE, EARLIER_STEPS)
                .run(
                        student.parameters(),
                        _ -> loss(student, states, target.zerosLike().unsqueeze(0), target));
    }

    /// @param anchors log-probabilities, `[N, B, A]`
    /// @param target  the teacher's probabilities, `[B, A]`
    private static Tensor loss(MlpStack students, Tensor states, Tensor anchors, Tensor target) {
        Tensor policy = students.logProbs(states);
        var u = AnchoredLogits.of(policy.reshape(-1, ACTIONS), anchors.reshape(-1, ACTIONS), 1.0);
        Tensor q = target.unsqueeze(0).expand(policy.shape()).reshape(-1, ACTIONS);
        return Adpo.listwise(u, q, u.sets()).value();
    }

    /// The average moves towards the student that it anchors.
    private static void follow(MlpStack average, MlpStack students, long step) {
        double kept = new AnchorRule.Ema(EMA).after(step, List.of(), 0).kept();
        int own = Anchor.AVERAGE.ordinal();
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            average.parameters()
                    .named()
                    .forEach((name, mean) -> InPlace.plus_(
                            InPlace.times_(mean, kept),
                            students.parameters().get(name).narrow(0, own, 1),
                            1 - kept));
        }
    }

    /// Probabilities, `[B, A]`.
    private static Tensor taught(MlpStack teacher, Tensor states) {
        return teacher.logProbs(states).detach().times(SHARPNESS).softmax(2).squeeze(0);
    }

    private static void record(double[][] kl, int point, MlpStack students, Tensor fresh, Tensor target) {
        try (var _ = new Scope();
                var _ = Gradients.off()) {
            Tensor logProbs = students.logProbs(fresh);
            Tensor truth = target.log().unsqueeze(0).expand(logProbs.shape());
            double[] means = new ForwardKl()
                    .categorical(logProbs, truth)
                    .mean(1)
                    .to(DType.FLOAT64)
                    .toDoubles();
            for (int a = 0; a < kl.length; a++) {
                kl[a][point] = means[a];
            }
        }
    }
}
