package dev.kedge.data.verify;

import dev.kedge.data.verify.Judged.Status;
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
public final class Judging {
    /// How long an interrupted thread may take to end before it counts as hung.
    private static final Duration GRACE = Duration.ofMillis(200);

    /// Threads that were interrupted and did not end. They belong to the process, as nobody can end them.
    private static final Set<Thread> HUNG = ConcurrentHashMap.newKeySet();

    private Judging() {}

    /// Judges all completions.
    ///
    /// @param questions   one for each completion; of completions of one prompt, equal ones
    /// @param completions what the model wrote
    /// @param limits      of verifiers of one's own; an [Endpoint] has its own, and the others need none
    /// @return in the order of the completions
    /// @throws IllegalArgumentException if there is not one question for each completion
    /// @throws IllegalStateException    if this thread is interrupted
    public static Judgements judge(
            Verifier verifier, List<Question> questions, List<String> completions, Limits limits) {
        if (questions.size() != completions.size()) {
            throw new IllegalArgumentException("one question for each completion expected, were " + questions.size()
                    + " for " + completions.size());
        }
        return new Judgements(each(verifier, questions, completions, limits));
    }

    private static List<Judged> each(
            Verifier verifier, List<Question> questions, List<String> completions, Limits limits) {
        return switch (verifier) {
            case Weighted weighted -> sum(weighted, questions, completions, limits);
            case Endpoint endpoint -> endpoint.judge(questions, completions);
            case Majority majority -> vote(majority, questions, completions);
            case Verification _, Format.Compiled _ ->
                IntStream.range(0, completions.size())
                        .mapToObj(i -> here(verifier, questions.get(i), completions.get(i)))
                        .toList();
            default -> apart(verifier, questions, completions, limits);
        };
    }

    /// Kedge's own verifiers end by themselves.
    private static Judged here(Verifier verifier, Question question, String completion) {
        try {
            return Judged.of(verifier.reward(question, completion));
        } catch (Exception e) {
            return Judged.threw(e);
        }
    }

    private static List<Judged> vote(Majority majority, List<Question> questions, List<String> completions) {
        return Arrays.stream(majority.vote(questions, completions))
                .mapToObj(Judged::of)
                .toList();
    }

    private static List<Judged> sum(
            Weighted weighted, List<Question> questions, List<String> completions, Limits limits) {
        List<List<Judged>> parts = weighted.summands().stream()
                .map(part -> each(part.verifier(), questions, completions, limits))
                .toList();
        return IntStream.range(0, completions.size())
                .mapToObj(i -> sum(weighted.summands(), parts, i))
                .toList();
    }

    private static Judged sum(List<Summand> summands, List<List<Judged>> parts, int completion) {
        double sum = 0;
        Map<String, Double> rewards = new LinkedHashMap<>();
        Judged failed = null;
        for (int i = 0; i < summands.size(); i++) {
            Summand part = summands.get(i);
            Judged judged = parts.get(i).get(completion);
            if (judged.reward().isPresent()) {
                rewards.put(part.name(), judged.reward().getAsDouble());
                sum += part.weight() * judged.reward().getAsDouble();
            } else if (failed == null) {
                failed = Judged.failed(judged.status(), "part " + part.name() + ": " + judged.reason());
            }
        }
        Judged whole = failed == null ? Judged.of(sum) : failed;
        return new Judged(whole.reward(), whole.status(), whole.reason(), rewards);
    }

    /// Each completion in a thread of its own, which is given up when its time is over. These are threads of the
    /// system: a virtual one that never waits would keep the processor from all the others.
    private static List<Judged> apart(
            Verifier verifier, List<Question> questions, List<String> completions, Limits limits) {
        Semaphore free = new Semaphore(limits.concurrency());
        List<Callable<Judged>> work = new ArrayList<>();
        for (int i = 0; i < completions.size(); i++) {
            Question question = questions.get(i);
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
            throw new IllegalStateException("interrupted while completions were judged", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("judging failed: " + Judged.oneLine(e.getCause()), e);
        }
    }

    private static Judged timed(Callable<Double> reward, Limits limits) throws InterruptedException {
        HUNG.removeIf(thread -> !thread.isAlive());
        if (HUNG.size() >= limits.hung()) {
            return Judged.failed(
                    Status.TIMED_OUT, "not begun: " + HUNG.size() + " threads of verifiers hang and do not end");
        }
        var task = new FutureTask<>(reward);
        Thread thread;
        try {
            thread = Thread.ofPlatform().daemon().name("verifier").start(task);
        } catch (OutOfMemoryError e) {
            return Judged.failed(Status.TIMED_OUT, "not begun: the system has no thread left");
        }
        try {
            return Judged.of(task.get(limits.timeout().toNanos(), TimeUnit.NANOSECONDS));
        } catch (ExecutionException e) {
            return Judged.threw(e.getCause());
        } catch (TimeoutException e) {
            return Judged.failed(
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
