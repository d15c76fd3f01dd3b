package dev.kedge.data.fetch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Which proxy an address is reached through: the JVM's `-Dhttps.proxyHost=` and its like where they are set, else the
/// variables `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in lower case or upper.
final class Proxies extends ProxySelector {
    private final Map<String, String> environment;

    private Proxies(Map<String, String> environment) {
        this.environment = environment;
    }

    /// @throws IllegalArgumentException if a variable does not name a proxy that can be used
    static ProxySelector of(Map<String, String> environment) {
        if (System.getProperty("https.proxyHost") != null || System.getProperty("http.proxyHost") != null) {
            return ProxySelector.getDefault();
        }
        Proxies proxies = new Proxies(Map.copyOf(environment));
        proxies.proxy("http");
        proxies.proxy("https");
        return proxies;
    }

    @Override
    public List<Proxy> select(URI address) {
        return List.of(
                isDirect(address.getHost())
                        ? Proxy.NO_PROXY
                        : proxy(address.getScheme()).orElse(Proxy.NO_PROXY));
    }

    @Override
    public void connectFailed(URI address, SocketAddress proxy, IOException e) {
        // The client reports it.
    }

    private Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name))
                .or(() -> Optional.ofNullable(environment.get(name.toUpperCase(Locale.ROOT))))
                .map(String::strip)
                .filter(value -> !value.isEmpty());
    }

    private Optional<Proxy> proxy(String scheme) {
        return variable(scheme + "_proxy").or(() -> variable("all_proxy")).map(value -> {
            URI proxy = uri(value);
            if (!"http".equals(proxy.getScheme()) || proxy.getHost() == null || proxy.getUserInfo() != null) {
                throw new IllegalArgumentException(
                        scheme + "_proxy: expected http://HOST:PORT, without user or password, was another address");
            }
            int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
            return new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port));
        });
    }

    private static URI uri(String value) {
        try {
            return URI.create(value.contains("://") ? value : "http://" + value);
        } catch (IllegalArgumentException _) {
            return URI.create("unreadable:/");
        }
    }

    /// A name in `no_proxy` stands for the host and all hosts of that domain; `*` for all.
    private boolean isDirect(String host) {
        return variable("no_proxy").stream()
                .flatMap(names -> Arrays.stream(names.split("[,\\s]+")))
                .map(name -> name.startsWith(".") ? name.substring(1) : name)
                .filter(name -> !name.isEmpty())
                .anyMatch(name -> name.equals("*")
                        || host.equalsIgnoreCase(name)
                        || host.toLowerCase(Locale.ROOT).endsWith("." + name.toLowerCase(Locale.ROOT)));
    }
}
