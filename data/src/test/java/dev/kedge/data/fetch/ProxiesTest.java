package dev.kedge.data.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProxiesTest {
    private final String before = System.getProperty("https.proxyHost");

    @BeforeEach
    void unset() {
        System.clearProperty("https.proxyHost");
    }

    @AfterEach
    void restore() {
        System.clearProperty("https.proxyHost");
        if (before != null) {
            System.setProperty("https.proxyHost", before);
        }
    }

    private static String through(Map<String, String> environment, String address) {
        Proxy proxy = Proxies.of(environment).select(URI.create(address)).getFirst();
        if (proxy.type() == Proxy.Type.DIRECT) {
            return "direct";
        }
        InetSocketAddress at = (InetSocketAddress) proxy.address();
        return at.getHostString() + ":" + at.getPort();
    }

    @Test
    void theVariableOfTheScheme() {
        Map<String, String> environment = Map.of("https_proxy", "http://127.0.0.1:3128", "HTTP_PROXY", "127.0.0.1:81/");
        assertEquals("127.0.0.1:3128", through(environment, "https://example.org/a"));
        assertEquals("127.0.0.1:81", through(environment, "http://example.org/a"));
        assertEquals("direct", through(Map.of("https_proxy", " "), "https://example.org/a"));
        assertEquals("127.0.0.1:80", through(Map.of("all_proxy", "http://127.0.0.1"), "https://example.org/a"));
    }

    @Test
    void hostsWithoutProxy() {
        Map<String, String> environment =
                Map.of("all_proxy", "http://127.0.0.1:9", "no_proxy", "localhost, .example.org,EXAMPLE.net");
        assertEquals("direct", through(environment, "http://localhost/a"));
        assertEquals("direct", through(environment, "http://data.example.org/a"));
        assertEquals("direct", through(environment, "http://example.net/a"));
        assertEquals("127.0.0.1:9", through(environment, "http://notexample.org/a"));
        assertEquals("127.0.0.1:9", through(environment, "http://example.org.test/a"));
        assertEquals("direct", through(Map.of("all_proxy", "http://127.0.0.1:9", "no_proxy", "*"), "http://a.test/"));
    }

    @Test
    void propertiesOfTheJvmComeFirst() {
        System.setProperty("https.proxyHost", "127.0.0.2");
        assertSame(ProxySelector.getDefault(), Proxies.of(Map.of("https_proxy", "http://127.0.0.1:3128")));
        assertEquals("127.0.0.2:443", through(Map.of(), "https://example.org/a"));
    }

    @Test
    void aProxyThatCannotBeUsedIsRefusedWithoutItsPassword() {
        for (String proxy :
                new String[] {"socks5://127.0.0.1:1080", "http://me:secret@127.0.0.1:1", "http://a b", "://"}) {
            String message = assertThrows(
                            IllegalArgumentException.class, () -> Proxies.of(Map.of("https_proxy", proxy)))
                    .getMessage();
            assertEquals("https_proxy: expected http://HOST:PORT, without user or password", message.split(", was")[0]);
            assertFalse(message.contains("secret"));
        }
    }
}
