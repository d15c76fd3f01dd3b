package dev.kedge.data.verify;

import dev.kedge.data.verify.VerifierResult.Status;
import dev.kedge.data.verify.WeightedSum.Summand;
import dev.kedge.data.verify.WeightedSum.Weighted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/// Runs a verifier over a step's completions. Whatever it does, each completion gets a reward or the reason why not.
public final class VerifierBatch {
    /// How long an interrupted thread may take to end before it counts as hung.
    private static final Duration GRACE = Duration.ofMillis(200);

    /// Threads that were interrupted and did not end. They belong to the process, as nobody can end them.
    private static final Set<Thread> HUNG = ConcurrentHashMap.newKeySet();

    private VerifierBatch() {}

    /// Rewards all completions.
    ///
    /// @param questions   one for each completion; of completions of one prompt, equal ones
    /// @param completions what the model wrote
    /// @param limits      of verifiers of one's own; an [Endpoint] has its own, and the others need none
    /// @return in the order of the completions
    /// @throws IllegalArgumentException if there is not one question for each completion
    /// @throws IllegalStateException    if this thread is interrupted
    public static VerifierResults verify(
            Verifier verifier, List<VerifierQuestion> questions, List<String> completions, Limits limits) {
        if (questions.size() != completions.size()) {
            throw new IllegalArgumentException("one question for each completion expected, were " + questions.size()
                    + " for " + completions.size());
        }
        return new VerifierResults(each(verifier, questions, completions, limits));
    }

    private static List<VerifierResult> each(
            Verifier verifier, List<VerifierQuestion> questions, List<String> completions, Limits limits) {
        return switch (verifier) {
            case Weighted weighted -> sum(weighted, questions, completions, limits);
            case Endpoint endpoint -> endpoint.verify(questions, completions);
            case Majority majority -> vote(majority, questions, completions);
            case Verification _, Format.Compiled _ ->
                IntStream.range(0, completions.size())
                        .mapToObj(i -> here(verifier, questions.get(i), completions.get(i)))
                        .toList();
            default -> apart(verifier, questions, completions, limits);
        };
    }

    /// Kedge's own verifiers end by themselves.
    private static VerifierResult here(Verifier verifier, VerifierQuestion question, String completion) {
        try {
            return VerifierResult.of(verifier.reward(question, completion));
        } catch (Exception e) {
            return VerifierResult.threw(e);
        }
    }

    private static List<VerifierResult> vote(
            Majority majority, List<VerifierQuestion> questions, List<String> completions) {
        return Arrays.stream(majority.vote(questions, completions))
                .mapToObj(VerifierResult::of)
                .toList();
    }

    private static List<VerifierResult> sum(
            Weighted weighted, List<VerifierQuestion> questions, List<String> completions, Limits limits) {
        List<List<VerifierResult>> parts = weighted.summands().stream()
                .map(part -> each(part.verifier(), questions, completions, limits))
                .toList();
        return IntStream.range(0, completions.size())
                .mapToObj(i -> sum(weighted.summands(), parts, i))
                .toList();
    }

    private static VerifierResult sum(List<Summand> summands, List<List<VerifierResult>> parts, int completion) {
        double sum = 0;
        Map<String, Double> rewards = new LinkedHashMap<>();
        VerifierResult failed = null;
        for (int i = 0; i < summands.size(); i++) {
            Summand part = summands.get(i);
            VerifierResult result = parts.get(i).get(completion);
            if (result.reward().isPresent()) {
                rewards.put(part.name(), result.reward().getAsDouble());
                sum += part.weight() * result.reward().getAsDouble();
            } else if (failed == null) {
                failed = VerifierResult.failed(result.status(), "part " + part.name() + ": " + result.reason());
            }
        }
        VerifierResult whole = failed == null ? VerifierResult.of(sum) : failed;
        return new VerifierResult(whole.reward(), whole.status(), whole.reason(), rewards);
    }

    /// Each completion in a thread of its own, which is given up when its time is over. These are threads of the
    /// system: a virtual one that never waits would keep the processor from all the others.
    private static List<VerifierResult> apart(
            Verifier verifier, List<VerifierQuestion> questions, List<String> completions, Limits limits) {
        Semaphore free = new Semaphore(limits.concurrency());
        List<Callable<VerifierResult>> work = new ArrayList<>();
        for (int i = 0; i < completions.size(); i++) {
            VerifierQuestion question = questions.get(i);
            String completion = completions.get(i);
            work.add(() -> {
                free.acquire();
                try {
                    return timed(() -> verifier.reward(question, completion), limits);
                } finally {
                    free.release();
                }
            });
        }
        return all(work);
    }

    /// Waits for all, in a virtual thread each; the results in order.
    static <T> List<T> all(List<Callable<T>> work) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<T> results = new ArrayList<>();
            for (Future<T> done : threads.invokeAll(work)) {
                results.add(done.get());
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while completions were verified", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("verifying failed: " + VerifierResult.oneLine(e.getCause()), e);
        }
    }

    private static VerifierResult timed(Callable<Double> reward, Limits limits) throws InterruptedException {
        HUNG.removeIf(thread -> !thread.isAlive());
        if (HUNG.size() >= limits.hung()) {
            return VerifierResult.failed(
                    Status.TIMED_OUT, "not begun: " + HUNG.size() + " threads of verifiers hang and do not end");
        }
        var task = new FutureTask<>(reward);
        Thread thread;
        try {
            thread = Thread.ofPlatform().daemon().name("verifier").start(task);
        } catch (OutOfMemoryError e) {
            return VerifierResult.failed(Status.TIMED_OUT, "not begun: the system has no thread left");
        }
        try {
            return VerifierResult.of(task.get(limits.timeout().toNanos(), TimeUnit.NANOSECONDS));
        } catch (ExecutionException e) {
            return VerifierResult.threw(e.getCause());
        } catch (TimeoutException e) {
            return VerifierResult.failed(
                    Status.TIMED_OUT, "no reward within " + limits.timeout().toMillis() + " ms");
        } finally {
            if (!task.isDone()) {
                task.cancel(true);
                abandon(thread);
            }
        }
    }

    private static void abandon(Thread thread) throws InterruptedException {
        if (!thread.join(GRACE)) {
            HUNG.add(thread);
        }
    }
}
