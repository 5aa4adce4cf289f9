"""What the story tests are made of: the proxy as a process, scripted and real upstreams, raw clients."""
