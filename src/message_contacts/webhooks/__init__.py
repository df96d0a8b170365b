"""Group chats and programs that get messages: what they are, and the rules of changing and confirming them."""
