package dev.kedge.recipe.policy;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.BradleyTerry;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/// A reward of whole answers learned from preferences ([BradleyTerry]): a copy of the policy's start, and a linear head
/// on its state at the end of the answer.
///
/// @param head  what was learned
/// @param padId fills batches
/// @param eos   what an answer ends with, whether it was cut off or not
/// @param mean  of what the head says of the start's answers, and `deviation`: rewards are in units of it
record RewardModel(ScalarHead head, int padId, int eos, double mean, double deviation) implements AutoCloseable {
    private static final int ROWS = 64;

    static void train(
            Run run, ScalarHead head, List<TokenizedPair> pairs, int padId, TrainingConfig config, long seed) {
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        EpochBatches batches = config.batchesOf(lengths, seed);
        try (Training training =
                new Training(run, "reward-model", config, head.decoder().parameters())) {
            training.run(step -> {
                List<TokenizedPair> batch =
                        Arrays.stream(batches.at(step)).mapToObj(pairs::get).toList();
                return Step.on(batch, config.microBatch(), part -> gradient(head, part, padId, batch.size()));
            });
        }
    }

    /// Adds the gradient of some pairs' share of a step's mean loss.
    private static StepMetrics gradient(ScalarHead head, List<TokenizedPair> pairs, int padId, long pairsInStep) {
        List<Tokenized> answers = new ArrayList<>();
        pairs.forEach(pair -> answers.add(pair.rejected()));
        pairs.forEach(pair -> answers.add(pair.chosen()));
        Tensor scores = scores(head, answers, padId);
        Tensor chosen = scores.narrow(0, pairs.size(), pairs.size());
        Tensor ones = chosen.detach().zerosLike().plus(1);
        Loss loss = BradleyTerry.nll(scores.narrow(0, 0, pairs.size()), chosen, ones, pairsInStep);
        loss.value().backward();
        Tensor margin = loss.metric("margin");
        double agreed = margin.gt(0)
                        .to(DType.FLOAT64)
                        .plus(margin.ge(0).to(DType.FLOAT64))
                        .sum()
                        .item()
                / 2; // ties half
        return new StepMetrics().add("loss", loss.value().item()).mean("accuracy", agreed, pairs.size());
    }

    /// What the head says at the last token of each sequence, `[B]`.
    private static Tensor scores(ScalarHead head, List<Tokenized> sequences, int padId) {
        TokenBatch batch = TokenBatch.of(sequences, padId, 1).to(head.decoder().device());
        long[] ends = new long[sequences.size()];
        Arrays.setAll(ends, i -> (long) i * batch.width() + sequences.get(i).length() - 1);
        Tensor index = Tensor.of(ends, ends.length).to(head.decoder().device());
        return head.of(head.decoder().hidden(batch.tokens()).indexSelect(0, index));
    }

    /// The same of any number of sequences, without gradient.
    static double[] scored(ScalarHead head, List<Tokenized> sequences, int padId) {
        double[] all = new double[sequences.size()];
        for (int[] places : Batches.inOrder(all.length, ROWS)) {
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                List<Tokenized> rows =
                        Arrays.stream(places).mapToObj(sequences::get).toList();
                double[] found = scores(head, rows, padId)
                        .to(DType.FLOAT64)
                        .to(Device.CPU)
                        .toDoubles();
                for (int i = 0; i < found.length; i++) {
                    all[places[i]] = found[i];
                }
            }
        }
        return all;
    }

    /// An answer as the model reads it: one that leaves its end no position loses its last tokens.
    static Tokenized read(Question question, String answer, Tokenizer tokenizer, int eos, int positions) {
        int[] said = tokenizer.encodeOrdinary(answer);
        int length = Math.min(said.length, positions - question.prompt().length - 1);
        int[] ended = Arrays.copyOf(said, length + 1);
        ended[length] = eos;
        return Tokenized.ofReply(question.prompt(), ended);
    }

    /// Rewards by the model, and notes what the truth says.
    Scorer scorer(Scorer truth, Tokenizer tokenizer) {
        return new Scorer() {
            @Override
            public List<Score> score(List<Question> questions, List<String> completions) {
                int positions = head.decoder().config().maxPositions();
                List<Score> trueScores = truth.score(questions, completions);
                List<Tokenized> answers = new ArrayList<>();
                for (int i = 0; i < completions.size(); i++) {
                    answers.add(read(questions.get(i), completions.get(i), tokenizer, eos, positions));
                }
                double[] learned = scored(head, answers, padId);
                List<Score> scores = new ArrayList<>();
                for (int i = 0; i < learned.length; i++) {
                    double reward = (learned[i] - mean) / deviation;
                    Score trueScore = trueScores.get(i);
                    String failure = Double.isFinite(reward) ? trueScore.failure() : "the learned reward is " + reward;
                    scores.add(new Score(reward, trueScore.answer(), failure, OptionalDouble.of(trueScore.reward())));
                }
                return scores;
            }

            @Override
            public void close() {
                RewardModel.this.close();
                truth.close();
            }
        };
    }

    @Override
    public void close() {
        head.close();
    }
}
