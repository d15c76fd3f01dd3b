package dev.kedge.objective.conformance;

import dev.kedge.nn.merge.MagMax;
import dev.kedge.objective.Loss;
import dev.kedge.objective.continual.Der;
import dev.kedge.objective.continual.Ewc;
import dev.kedge.objective.continual.Lwf;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.statistics.Forgetting;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/// Cases of MLLM-CTBench (arXiv:2508.08275): GRPO, terms of continual learning, merging and scores.
final class CtBenchCases {
    private static final long IGNORED = -100;

    private CtBenchCases() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return switch (c.text("kind")) {
            case "grpo_loss" -> Optional.of(grpo(c));
            case "group_advantage" -> Optional.of(advantages(c));
            case "ewc" -> Optional.of(ewc(c));
            case "ewc_importance" -> Optional.of(importance(c));
            case "lwf_kl" -> Optional.of(lwf(c));
            case "der_mse" -> Optional.of(der(c));
            case "max_merge" -> Optional.of(merge(c));
            case "cl_metrics" -> Optional.of(scores(c));
            default -> Optional.empty();
        };
    }

    private static Map<String, Object> grpo(Case c) {
        Tensor logProbs = c.tensor("logp").requiresGrad();
        Rollout rollout = new Rollout(logProbs, c.tensor("old_logp"), c.mask("mask"));
        Tensor advantages = c.tensor("advantages");
        double clip = c.number("epsilon");
        double beta = c.number("beta");
        long completions = logProbs.size(0);
        Loss loss = beta == 0
                ? Grpo.withoutReference(rollout, advantages, clip, completions)
                : Grpo.grpo(rollout, c.tensor("ref_logp"), advantages, clip, beta, completions);
        loss.value().backward();
        Tensor clipped = loss.metric("clip/share").times(loss.metric("tokens")).sum();
        return Map.of(
                "loss", loss.value(),
                "grad_logp", logProbs.grad(),
                "mean_kl", beta == 0 ? 0.0 : loss.metric("kl/ref").mean(),
                "clip_fraction", clipped.div(loss.metric("tokens").sum()));
    }

    private static Map<String, Object> advantages(Case c) {
        Tensor rewards =
                c.tensor("rewards").reshape(-1, (long) c.tensor("group").item());
        Tensor advantages =
                switch ((int) c.number("std_ddof")) {
                    case 0 -> GroupRelative.populationNormalized(rewards, c.number("eps"));
                    case 1 -> GroupRelative.normalized(rewards, c.number("eps"));
                    default -> throw new IllegalArgumentException("no std with ddof " + c.number("std_ddof"));
                };
        return Map.of("advantages", advantages.reshape(-1));
    }

    private static Map<String, Object> ewc(Case c) {
        Tensor parameter = c.tensor("param").requiresGrad();
        Tensor importance = c.tensor("importance");
        Tensor anchor = c.tensor("anchor");
        double strength = Ewc.strength(c.number("lambda"), (long) c.number("task_number_1based"));
        Loss loss = Ewc.penalty(parameter, importance, anchor, strength);
        loss.value().backward();
        return Map.of(
                "value_unscaled", Ewc.penalty(parameter, importance, anchor, 1).value(),
                "value_consistent", loss.value(),
                "grad_param", parameter.grad());
    }

    private static Map<String, Object> importance(Case c) {
        Tensor first = importance(c, "sum_grad_sq_task1");
        Tensor second = importance(c, "sum_grad_sq_task2");
        Tensor afterFirst = Ewc.meanOverTasks(first.zerosLike(), first, 1);
        return Map.of(
                "importance_after_task1",
                afterFirst,
                "importance_after_task2",
                Ewc.meanOverTasks(afterFirst, second, 2));
    }

    private static Tensor importance(Case c, String sums) {
        return Ewc.importance(c.tensor(sums), (long) c.number("iters"), c.number("sparsity"), c.number("min_eps"));
    }

    private static Map<String, Object> lwf(Case c) {
        Tensor student = c.tensor("student_logits").requiresGrad();
        NextTokens model = NextTokens.ofLogits(student, c.longs("labels"), IGNORED);
        NextTokens teacher = NextTokens.ofLogits(c.tensor("teacher_logits"), c.longs("labels"), IGNORED);
        Tensor kl = new ForwardKl().categorical(model.logProbs(), teacher.logProbs());
        Loss loss = Lwf.lwf(kl, model.mask(), c.number("lambda"), tokens(model.mask()));
        loss.value().backward();
        return Map.of("loss", loss.value(), "grad_student_logits", student.grad());
    }

    private static Map<String, Object> der(Case c) {
        Tensor student = c.tensor("student_logits").requiresGrad();
        long last = student.size(1) - 1;
        Tensor mask = c.longs("labels").narrow(1, 1, last).ne(IGNORED);
        Loss loss = Der.der(
                student.narrow(1, 0, last),
                c.tensor("teacher_logits").narrow(1, 0, last),
                mask,
                c.number("lambda"),
                tokens(mask));
        loss.value().backward();
        return Map.of("loss", loss.value(), "grad_student_logits", student.grad());
    }

    private static long tokens(Tensor mask) {
        return Math.max(1, (long) mask.sum().item());
    }

    private static Map<String, Object> merge(Case c) {
        Tensor tasks = c.tensor("task_params");
        return Map.of("merged_official", MagMax.largestValues(tasks), "merged_magmax_published", MagMax.merge(tasks));
    }

    private static Map<String, Object> scores(Case c) {
        Tensor p = c.tensor("P");
        var forgetting = Forgetting.of(LongStream.range(0, p.size(0))
                .mapToObj(i -> p.select(0, i).toDoubles())
                .toArray(double[][]::new));
        return Map.of(
                "AP", forgetting.averagePerformance(),
                "forget", forgetting.perTask(),
                "BWT", forgetting.backwardTransfer());
    }
}
