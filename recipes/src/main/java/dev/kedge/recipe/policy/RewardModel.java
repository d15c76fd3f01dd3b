package dev.kedge.recipe.policy;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.BradleyTerry;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A reward of whole answers learned from preferences ([BradleyTerry]): a copy of the policy's start, and a linear head
/// on its state at the end of the answer.
///
/// @param head  what was learned
/// @param padId fills batches
/// @param eos   what an answer ends with, whether it was cut off or not
/// @param mean  of what the head says of the start's answers, and `deviation`: rewards are in units of it, from there
record RewardModel(ScalarHead head, int padId, int eos, double mean, double deviation) implements AutoCloseable {
    private static final int ROWS = 64;

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    static void train(Run run, ScalarHead head, List<TokenizedPair> pairs, int padId, TrainingConfig o, long seed) {
        String phase = "reward-model";
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        Schedule schedule = o.schedules();
        var parameters = head.decoder().parameters();
        try (AdamW optimizer = o.optimizer(parameters)) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", parameters.named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), seed);
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    List<TokenizedPair> batch =
                            Arrays.stream(batches.at(step)).mapToObj(pairs::get).toList();
                    Map<String, Double> metrics = gradient(head, batch, padId, o.microBatch());
                    metrics.put("grad_norm", parameters.clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    optimizer.step(schedule.at(step));
                    metrics.put("lr", schedule.at(step));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, String.format("loss %.3f", metrics.get("loss")));
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", parameters.named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    /// Adds the gradient of the batch's mean loss, micro-batch by micro-batch.
    private static Map<String, Double> gradient(ScalarHead head, List<TokenizedPair> batch, int padId, int microBatch) {
        double loss = 0;
        double agreed = 0;
        for (int[] part : Batches.inOrder(batch.size(), microBatch)) {
            try (Scope _ = new Scope()) {
                List<Tokenized> answers = new ArrayList<>();
                Arrays.stream(part).forEach(i -> answers.add(batch.get(i).rejected()));
                Arrays.stream(part).forEach(i -> answers.add(batch.get(i).chosen()));
                Tensor scores = scores(head, answers, padId);
                Tensor second = scores.narrow(0, part.length, part.length);
                Loss found = BradleyTerry.nll(
                        scores.narrow(0, 0, part.length),
                        second,
                        second.detach().zerosLike().plus(1),
                        batch.size());
                found.value().backward();
                loss += found.value().item();
                agreed += found.metric("margin").gt(0).to(DType.FLOAT64).sum().item();
            }
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", loss);
        metrics.put("accuracy", agreed / batch.size());
        return metrics;
    }

    /// What the head says at the last token of each sequence, [B].
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
        for (int[] part : Batches.inOrder(all.length, ROWS)) {
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                List<Tokenized> rows =
                        Arrays.stream(part).mapToObj(sequences::get).toList();
                double[] found = scores(head, rows, padId)
                        .to(DType.FLOAT64)
                        .to(Device.CPU)
                        .toDoubles();
                for (int i = 0; i < found.length; i++) {
                    all[part[i]] = found[i];
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

    /// Judges by the model, and notes what the truth says.
    Scorer scorer(Scorer truth, Tokenizer tokenizer) {
        return new Scorer() {
            @Override
            public List<Score> score(List<Question> questions, List<String> completions) {
                int positions = head.decoder().config().maxPositions();
                List<Score> judged = truth.score(questions, completions);
                List<Tokenized> answers = new ArrayList<>();
                for (int i = 0; i < completions.size(); i++) {
                    answers.add(read(questions.get(i), completions.get(i), tokenizer, eos, positions));
                }
                double[] learned = scored(head, answers, padId);
                List<Score> scores = new ArrayList<>();
                for (int i = 0; i < learned.length; i++) {
                    double reward = (learned[i] - mean) / deviation;
                    Score was = judged.get(i);
                    String trouble = Double.isFinite(reward) ? "" : "the learned reward is " + reward;
                    scores.add(new Score(reward, was.answer(), trouble, was.reward()));
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
