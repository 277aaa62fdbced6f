package runner

import (
	"strings"
)

// peerFault tells apart why a peer could not be reached or would not answer.
// Git has no codes for this; these are its sentences, and those of curl and
// ssh, in English, which the environment makes them speak.
func peerFault(e *gitError, peer string) *faultError {
	text := e.text()
	has := func(words ...string) bool {
		for _, s := range words {
			if strings.Contains(text, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"):
		return &faultError{
			Code:    "host_key",
			Message: peer + " shows a host key that is not known here, or not the known one.",
			Hint:    "Connect once by hand with ssh as the user Telltale runs as, compare the key, and accept it.",
		}
	case has("Authentication failed", "could not read Username", "could not read Password", "terminal prompts disabled",
		"Permission denied (", "returned error: 401", "returned error: 403", "Invalid username or password", "Access denied"):
		return &faultError{
			Code:    "unauthorized",
			Message: peer + " refused the credentials, or there were none.",
			Hint:    "Give the user Telltale runs as a key (ssh) or stored credentials (git config credential.helper store, in this repository), and the right to this repository.",
		}
	case has("Could not resolve host", "Could not resolve hostname", "Name or service not known", "Temporary failure in name resolution"):
		return &faultError{
			Code:    "unreachable",
			Message: "The name of " + peer + "'s machine is not known.",
			Hint:    "Check the address in the catalog, and this machine's name service.",
		}
	case has("Connection refused", "Failed to connect", "Couldn't connect", "Could not connect", "Connection timed out",
		"No route to host", "Network is unreachable", "Operation timed out", "Connection reset", "Connection closed", "unexpected disconnect",
		"early EOF", "RPC failed", "The requested URL returned error: 5", "Empty reply from server", "Operation too slow"):
		return &faultError{
			Code:    "unreachable",
			Message: peer + " cannot be reached: " + complaint(e.Lines) + ".",
			Hint:    "Check that it runs and that the network between lets you through, then try again.",
		}
	case has("SSL certificate problem", "server certificate verification failed", "SSL peer certificate", "gnutls_handshake", "SSL connect error"):
		return &faultError{
			Code:    "tls",
			Message: peer + " cannot prove who it is: " + complaint(e.Lines) + ".",
			Hint:    "Check its certificate and this machine's clock and certificate authorities.",
		}
	case has("dubious ownership"):
		return foreignOwner(peer)
	case has("transport '") && has("not allowed"):
		return &faultError{
			Code:    "bad_remote",
			Message: "The address of " + peer + " is of a kind that is not used.",
			Hint:    "Use https://, ssh:// or a path. The repository's configuration may rewrite addresses (url.*.insteadOf).",
		}
	case has("does not appear to be a git repository", "not found", "returned error: 404", "does not exist", "No such file or directory"):
		return &faultError{
			Code:    "peer_not_found",
			Message: "There is no repository at " + peer + "'s address.",
			Hint:    "Check the address in the catalog; for a new peer, create it with git init --bare.",
		}
	case has("No space left on device", "unpacker error", "Disk quota exceeded"):
		return &faultError{
			Code:    "disk_full",
			Message: "The disk is full, here or at " + peer + ".",
			Hint:    "Make room, then try again; the log says which side complains.",
		}
	}
	return unclear(e, "Git could not talk to "+peer)
}

// unclear is a failure nobody foresaw.
func unclear(e *gitError, what string) *faultError {
	status := e.Status
	f := &faultError{Code: "git", Message: what + ".", Hint: "Read git's own words in the log.", ExitCode: &status}
	if said := complaint(e.Lines); said != "" {
		f.Message = what + ": " + said + "."
	}
	return f
}

// complaint is the line that says most.
func complaint(lines []string) string {
	for _, prefix := range []string{"fatal: ", "error: ", "ssh: "} {
		for _, line := range lines {
			if text, found := strings.CutPrefix(line, prefix); found {
				return strings.TrimSuffix(text, ".")
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.TrimSuffix(lines[len(lines)-1], ".")
}
