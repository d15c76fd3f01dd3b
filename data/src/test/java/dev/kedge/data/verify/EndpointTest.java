package dev.kedge.data.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kedge.data.Content;
import dev.kedge.data.verify.VerifierResult.Status;
import dev.kedge.text.Message;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Against a server of this machine that does what servers do.
class EndpointTest {
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger requests = new AtomicInteger();
    private final List<String> bodies = Collections.synchronizedList(new ArrayList<>());
    private HttpServer server;

    private interface Answer {
        void to(HttpExchange exchange, String body, int request) throws Exception;
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void answer(Answer answer) {
        server.createContext("/verify", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            bodies.add(body);
            try (exchange) {
                answer.to(exchange, body, requests.incrementAndGet());
            } catch (Exception e) {
                throw new IOException(e);
            }
        });
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private Endpoint endpoint(int batch, double timeout, int retries) {
        return new Endpoint(
                "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                        + server.getAddress().getPort() + "/verify",
                Optional.of(batch),
                Optional.of(2),
                Optional.of(timeout),
                Optional.of(retries));
    }

    private static List<VerifierResult> verify(Endpoint endpoint, String... completions) {
        return VerifierBatch.verify(
                        endpoint.verifier(),
                        Collections.nCopies(completions.length, new VerifierQuestion("p \"1\"", "a")),
                        List.of(completions),
                        Limits.usual())
                .each();
    }

    private static void assertAll(Status status, String reason, List<VerifierResult> results) {
        for (VerifierResult one : results) {
            assertEquals(status, one.status(), one.reason());
            assertTrue(one.reward().isEmpty());
            assertTrue(one.reason().contains(reason), one.reason());
        }
    }

    @Test
    void rewardsComeBackInOrderWhateverTheBatches() {
        answer((exchange, body, _) -> {
            JsonNode items = new ObjectMapper().readTree(body);
            List<Integer> lengths = new ArrayList<>();
            for (JsonNode item : items) {
                assertEquals(List.of("prompt", "completion", "answer"), new ArrayList<>(names(item)));
                assertEquals("p \"1\"", item.get("prompt").textValue());
                lengths.add(item.get("completion").textValue().length());
            }
            send(exchange, 200, lengths.toString());
        });
        String[] completions = IntStream.range(0, 23).mapToObj("x"::repeat).toArray(String[]::new);
        List<VerifierResult> results = verify(endpoint(5, 10, 0), completions);
        for (int i = 0; i < completions.length; i++) {
            assertEquals(i, results.get(i).reward().orElseThrow());
        }
        assertEquals(5, requests.get());
    }

    @Test
    void messagesAreSentWithTheirRoles() {
        answer((exchange, body, _) -> {
            JsonNode item = new ObjectMapper().readTree(body).get(0);
            assertEquals(
                    "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}]",
                    item.get("messages").toString());
            assertEquals("system: s\nuser: u\n", item.get("prompt").textValue());
            send(exchange, 200, "[1]");
        });
        var question = new VerifierQuestion(
                Content.messages(List.of(new Message("system", "s"), new Message("user", "u"))), "a");
        var results = VerifierBatch.verify(endpoint(1, 10, 0), List.of(question), List.of("x"), Limits.usual());
        assertEquals(1, results.each().getFirst().reward().orElseThrow());
    }

    private static List<String> names(JsonNode item) {
        List<String> names = new ArrayList<>();
        item.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void noMoreRequestsAtOnceThanAllowed() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        answer((exchange, _, _) -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Thread.sleep(20);
            now.decrementAndGet();
            send(exchange, 200, "[1]");
        });
        verify(endpoint(1, 10, 0), "a", "b", "c", "d", "e", "f", "g", "h");
        assertTrue(most.get() <= 2, "were " + most);
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 503, 429})
    void aBusyServerIsAskedAgain(int status) {
        answer((exchange, _, request) -> send(exchange, request == 1 ? status : 200, "[0.5]"));
        assertEquals(0.5, verify(endpoint(4, 10, 1), "a").getFirst().reward().orElseThrow());
        assertEquals(2, requests.get());
    }

    @Test
    void aServerThatStaysBrokenIsUnreachableAfterItsRetries() {
        answer((exchange, _, _) -> send(exchange, 500, "oh"));
        assertAll(Status.UNREACHABLE, "status 500", verify(endpoint(4, 10, 2), "a", "b"));
        assertEquals(3, requests.get());
    }

    @Test
    void anotherStatusIsABadReplyAtOnce() {
        answer((exchange, _, _) -> send(exchange, 404, "[1]"));
        assertAll(Status.BAD_REPLY, "404", verify(endpoint(4, 10, 2), "a"));
        assertEquals(1, requests.get());
    }

    @Test
    void aRedirectIsNotFollowed() {
        answer((exchange, _, _) -> {
            exchange.getResponseHeaders().add("Location", "http://elsewhere.invalid/");
            send(exchange, 302, "");
        });
        assertAll(Status.BAD_REPLY, "302", verify(endpoint(4, 10, 0), "a"));
    }

    @Test
    void aSlowServerTimesOut() {
        answer((exchange, _, _) -> {
            Thread.sleep(60_000);
            send(exchange, 200, "[1]");
        });
        assertAll(Status.TIMED_OUT, "within 0.2 s", verify(endpoint(4, 0.2, 0), "a"));
    }

    /// The head of the answer is there in time, its end never.
    @Test
    void aSlowBodyTimesOutToo() {
        answer((exchange, _, _) -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write('[');
            exchange.getResponseBody().flush();
            Thread.sleep(60_000);
        });
        assertAll(Status.TIMED_OUT, "within 0.2 s", verify(endpoint(4, 0.2, 0), "a"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "not json ~ was not JSON",
                "[1 ~ was not JSON",
                "[1, 2] [3] ~ was not JSON",
                "{\"rewards\": [1, 2]} ~ was none",
                "[1] ~ was one of 1",
                "[1, 2, 3] ~ was one of 3",
                "null ~ was none",
            })
    void whatIsNoArrayOfAsManyNumbersIsABadReply(String text, String problem) {
        answer((exchange, _, _) -> send(exchange, 200, text));
        assertAll(Status.BAD_REPLY, problem, verify(endpoint(4, 10, 2), "a", "b"));
        assertEquals(1, requests.get());
    }

    @Test
    void nothingAtAllIsABadReply() {
        answer((exchange, _, _) -> exchange.sendResponseHeaders(200, -1));
        assertAll(Status.BAD_REPLY, "was none", verify(endpoint(4, 10, 0), "a"));
    }

    @Test
    void whatIsNoNumberCostsOnlyItsOwnCompletion() {
        answer((exchange, _, _) -> send(exchange, 200, "[1, NaN, null, \"1\", 1e999, [1], 0.25]"));
        List<VerifierResult> results = verify(endpoint(7, 10, 0), "a", "b", "c", "d", "e", "f", "g");
        assertEquals(1, results.getFirst().reward().orElseThrow());
        assertEquals(0.25, results.getLast().reward().orElseThrow());
        assertAll(Status.NOT_A_NUMBER, "must be", results.subList(1, 6));
    }

    @Test
    void anEndlessAnswerIsCutOff() {
        answer((exchange, _, _) -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] spaces = " ".repeat(1 << 16).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 1 << 14; i++) {
                exchange.getResponseBody().write(spaces);
            }
        });
        assertAll(Status.UNREACHABLE, "", verify(endpoint(4, 10, 0), "a"));
    }

    @Test
    void whereNobodyListensIsUnreachable() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Endpoint nobody = new Endpoint(
                "http://127.0.0.1:" + port + "/", Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(1));
        assertAll(Status.UNREACHABLE, "Connect", verify(nobody, "a", "b", "c"));
    }

    @Test
    void hostileCompletionsTravelAsData() throws IOException {
        answer((exchange, body, _) -> send(exchange, 200, "[1]"));
        String hostile = "\"}, {\u0000\ud800\n\\";
        assertEquals(1, verify(endpoint(1, 10, 0), hostile).getFirst().reward().orElseThrow());
        assertEquals(
                "\"}, {\u0000?\n\\",
                new ObjectMapper()
                        .readTree(bodies.getFirst())
                        .get(0)
                        .get("completion")
                        .textValue());
    }

    @Test
    void oneBatchThatFailsCostsNoOther() {
        answer((exchange, body, _) -> send(exchange, body.contains("\"bad\"") ? 400 : 200, "[1]"));
        List<VerifierResult> results = verify(endpoint(1, 10, 0), "a", "bad", "b");
        assertEquals(Map.of(Status.OK, 2, Status.BAD_REPLY, 1), new VerifierResults(results).counts());
        assertEquals(Status.BAD_REPLY, results.get(1).status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "localhost:80", "http://", "http:// a", "http://a:99999/", ""})
    void anAddressMustBeOneOfHttp(String url) {
        var wrong = assertThrows(
                IllegalArgumentException.class,
                () -> new Endpoint(url, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
        assertTrue(wrong.getMessage().contains("http"), wrong.getMessage());
    }
}
