Console.WriteLine("fedchain");
