package dev.kedge.data.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.Kind;
import dev.kedge.data.Content;
import dev.kedge.data.verify.VerifierResult.Status;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A verifier behind HTTP: a POST of `[{"prompt": ..., "completion": ..., "answer": ...}, ...]`, with `messages` where
/// the prompt is of messages, is answered with a JSON array of as many numbers, in order. `docs/verifiers.md` has the
/// whole contract.
///
/// @param url            http or https
/// @param batch          completions of one request, at least 1; 16 where absent
/// @param concurrency    requests at once, at least 1; 8 where absent
/// @param timeoutSeconds for one request, its answer's last byte included, > 0; 10 where absent
/// @param retries        further attempts after no answer, a late one, or the status 429 or 5xx, from 0 to 10; 2 where
///                       absent. They wait 0.1 s, 0.2 s, 0.4 s, ...
@Kind("endpoint")
public record Endpoint(
        String url,
        Optional<Integer> batch,
        Optional<Integer> concurrency,
        Optional<Double> timeoutSeconds,
        Optional<Integer> retries)
        implements Verification, Verifier {
    /// A number is short; a longer answer is none.
    private static final int MAX_BYTES_A_REWARD = 64;

    private static final long FIRST_PAUSE_MS = 100;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    public Endpoint {
        if (!isHttp(url)) {
            throw new IllegalArgumentException("url must be an address of http or https, was \"" + url + "\"");
        }
        double seconds = timeoutSeconds.orElse(10.0);
        int again = retries.orElse(2);
        if (batch.orElse(16) < 1 || concurrency.orElse(8) < 1 || again < 0 || again > 10) {
            throw new IllegalArgumentException("batch >= 1, concurrency >= 1 and retries from 0 to 10 expected, were "
                    + batch.orElse(16) + ", " + concurrency.orElse(8) + " and " + again);
        }
        if (!(seconds >= 1e-3 && seconds <= 86_400)) {
            throw new IllegalArgumentException("timeout_seconds must be from 0.001 to 86400, was " + seconds);
        }
    }

    private static boolean isHttp(String url) {
        try {
            URI uri = HttpRequest.newBuilder(URI.create(url)).build().uri();
            return uri.getPort() < 1 << 16;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        VerifierResult result = verify(List.of(question), List.of(completion)).getFirst();
        return result.reward().orElseThrow(() -> new IllegalStateException(result.status() + ": " + result.reason()));
    }

    /// Requests in virtual threads; one that fails leaves its own completions without a reward.
    List<VerifierResult> verify(List<VerifierQuestion> questions, List<String> completions) {
        int size = batch.orElse(16);
        Semaphore free = new Semaphore(concurrency.orElse(8));
        List<Callable<List<VerifierResult>>> requests = new ArrayList<>();
        for (int from = 0; from < completions.size(); from += size) {
            int to = Math.min(completions.size(), from + size);
            String body = body(questions.subList(from, to), completions.subList(from, to));
            int count = to - from;
            requests.add(() -> {
                free.acquire();
                try {
                    return asked(body, count);
                } finally {
                    free.release();
                }
            });
        }
        return VerifierBatch.all(requests).stream().flatMap(List::stream).toList();
    }

    /// Halves of surrogate pairs, which UTF-8 cannot say, are sent as `?`.
    private static String body(List<VerifierQuestion> questions, List<String> completions) {
        ArrayNode items = JSON.createArrayNode();
        for (int i = 0; i < completions.size(); i++) {
            VerifierQuestion asked = questions.get(i);
            ObjectNode item = items.addObject()
                    .put("prompt", asked.prompt())
                    .put("completion", completions.get(i))
                    .put("answer", asked.answer());
            if (asked.question() instanceof Content.Messages(var messages)) {
                ArrayNode turns = item.putArray("messages");
                messages.forEach(m -> turns.addObject().put("role", m.role()).put("content", m.content()));
            }
        }
        return items.toString();
    }

    private List<VerifierResult> asked(String body, int count) throws InterruptedException {
        VerifierResult failed = null;
        for (int attempt = 0; attempt <= retries.orElse(2); attempt++) {
            if (attempt > 0) {
                Thread.sleep(FIRST_PAUSE_MS << (attempt - 1));
            }
            Attempt result = attempt(body, count);
            if (result instanceof Attempt.Final(List<VerifierResult> results)) {
                return results;
            }
            failed = ((Attempt.Again) result).why();
        }
        return Collections.nCopies(count, failed);
    }

    private sealed interface Attempt {
        record Final(List<VerifierResult> results) implements Attempt {}

        record Again(VerifierResult why) implements Attempt {}
    }

    private Attempt attempt(String body, int count) throws InterruptedException {
        CompletableFuture<HttpResponse<String>> reply = Client.ONE.sendAsync(
                HttpRequest.newBuilder(URI.create(url))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body, StandardCharsets.UTF_8))
                        .build(),
                BodyHandlers.limiting(
                        BodyHandlers.ofString(StandardCharsets.UTF_8), 1024L + MAX_BYTES_A_REWARD * count));
        double seconds = timeoutSeconds.orElse(10.0);
        try {
            HttpResponse<String> response = reply.get((long) (seconds * 1e9), TimeUnit.NANOSECONDS);
            int status = response.statusCode();
            if (status == 429 || status >= 500) {
                return new Attempt.Again(
                        VerifierResult.failed(Status.UNREACHABLE, url + " answered with status " + status));
            }
            return new Attempt.Final(
                    status == 200 ? rewards(response.body(), count) : bad(count, "status 200 expected, was " + status));
        } catch (TimeoutException e) {
            return new Attempt.Again(
                    VerifierResult.failed(Status.TIMED_OUT, url + ": no reply within " + seconds + " s"));
        } catch (ExecutionException e) {
            return new Attempt.Again(
                    VerifierResult.failed(Status.UNREACHABLE, url + ": " + VerifierResult.oneLine(e.getCause())));
        } finally {
            reply.cancel(true);
        }
    }

    private List<VerifierResult> rewards(String body, int count) {
        JsonNode numbers;
        try {
            numbers = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            return bad(count, "a JSON array of " + count + " numbers expected, was not JSON");
        }
        if (!numbers.isArray() || numbers.size() != count) {
            return bad(
                    count,
                    "a JSON array of " + count + " numbers expected, was "
                            + (numbers.isArray() ? "one of " + numbers.size() : "none"));
        }
        List<VerifierResult> results = new ArrayList<>();
        for (JsonNode number : numbers) {
            results.add(
                    number.isNumber()
                            ? VerifierResult.of(number.doubleValue())
                            : VerifierResult.failed(
                                    Status.NOT_A_NUMBER,
                                    "the reward was " + number.getNodeType() + ", must be a number"));
        }
        return results;
    }

    private List<VerifierResult> bad(int count, String problem) {
        return Collections.nCopies(count, VerifierResult.failed(Status.BAD_REPLY, url + ": " + problem));
    }

    /// Made when the first request is sent. It follows no redirect: only the address of the recipe is asked.
    private static final class Client {
        static final HttpClient ONE = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }
}
