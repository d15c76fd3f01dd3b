package dev.kedge.recipe.guidance;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.DelayedRewardTask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// What a way of decoding is worth in [DelayedRewardTask]: its answers to the held-out prompts, one each.
///
/// @param label   of the strength that they were drawn with
/// @param answers texts
/// @param texts   the same with their prompts
/// @param kl      log-prob of each less that under the base, whose mean is the divergence: nats
record DelayedRewardEvaluation(String label, List<String> answers, List<String> texts, double[] kl) {
    /// Drawn from the mixture of these models.
    static DelayedRewardEvaluation drawn(DelayedRewardTask task, List<WeightedModel> models, String label, long seed) {
        return of(task, label, Generator.generate(models, task.heldOut(), task.sampling(1, seed), null));
    }

    /// Answers whose divergence is estimated from their log-probs.
    static DelayedRewardEvaluation of(DelayedRewardTask task, String label, List<Completion> answers) {
        double[] base = logProbs(task, task.base(), answers);
        double[] kl = new double[base.length];
        Arrays.setAll(kl, i -> sum(answers.get(i).logProbs()) - base[i]);
        return of(task, label, answers, kl);
    }

    static DelayedRewardEvaluation of(DelayedRewardTask task, String label, List<Completion> answers, double[] kl) {
        return new DelayedRewardEvaluation(
                label,
                answers.stream()
                        .map(answer -> task.tokenizer().decode(answer.tokens()))
                        .toList(),
                answers.stream()
                        .map(answer -> task.whole(task.heldOut().get(answer.prompt()), answer.tokens()))
                        .toList(),
                kl);
    }

    /// Log-prob of each answer under a model: nats.
    static double[] logProbs(DelayedRewardTask task, Decoder model, List<Completion> answers) {
        List<Tokenized> texts = answers.stream()
                .map(answer -> Tokenized.ofReply(task.heldOut().get(answer.prompt()), answer.tokens()))
                .toList();
        return SequenceScores.of(model, texts, Models.padId(task.tokenizer()), 1);
    }

    private static double sum(float[] logProbs) {
        double sum = 0;
        for (float logProb : logProbs) {
            sum += logProb;
        }
        return sum;
    }

    /// The reward of each whole text.
    double[] rewards(ToDoubleFunction<String> reward) {
        return texts.stream().mapToDouble(reward).toArray();
    }

    /// Their mean, with its interval.
    Estimate reward(Bootstrap bootstrap, ToDoubleFunction<String> reward) {
        return bootstrap.bca(rewards(reward));
    }

    /// Symbols of an answer, mean.
    double symbols() {
        return answers.stream().mapToInt(String::length).average().orElseThrow();
    }

    String words(ToDoubleFunction<String> reward) {
        return String.format(Locale.ROOT, "%.2f at %.2f nats", Bootstrap.mean(rewards(reward)), Bootstrap.mean(kl));
    }

    /// The same answers under another label.
    DelayedRewardEvaluation labelled(String other) {
        return new DelayedRewardEvaluation(other, answers, texts, kl);
    }

    /// A method's policies from the base on, in the order of their divergence.
    static Frontier.Arm curve(
            String method,
            DelayedRewardEvaluation base,
            List<DelayedRewardEvaluation> evaluations,
            Bootstrap bootstrap,
            ToDoubleFunction<String> reward) {
        List<Frontier.Point> points = new ArrayList<>(List.of(base.point(bootstrap, reward)));
        evaluations.stream()
                .map(s -> s.point(bootstrap, reward))
                .sorted(Comparator.comparingDouble(Frontier.Point::x))
                .forEach(points::add);
        return new Frontier.Arm(method, points);
    }

    /// A summary with the first answers of the base and of this one side by side.
    Summary shown(
            Summary summary,
            int count,
            DelayedRewardTask task,
            DelayedRewardEvaluation base,
            ToDoubleFunction<String> reward) {
        for (int i = 0; i < Math.min(count, answers.size()); i++) {
            summary = summary.sample(new Summary.Sample(
                    task.tokenizer().decode(task.heldOut().get(i)),
                    base.answers.get(i),
                    answers.get(i),
                    Optional.of(reward.applyAsDouble(base.texts.get(i))),
                    Optional.of(reward.applyAsDouble(texts.get(i))),
                    ""));
        }
        return summary;
    }

    /// Reward over divergence, with its interval.
    Frontier.Point point(Bootstrap bootstrap, ToDoubleFunction<String> reward) {
        return new Frontier.Point(Bootstrap.mean(kl), reward(bootstrap, reward), label);
    }
}
